"use strict";
// The heatmap of every setting: a table of buttons. Arrow keys move, Enter opens a setting, #cell=… links to one.
(() => {
  const root = document.getElementById("map");
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const { factors, settings, values, verdicts, classes, sheets } = data;
  const N_GEN = factors.findIndex((f) => f.name === "n_gen");
  const n = settings.control.length;
  const accuracy = values.find((v) => v.name === "accuracy");
  const SIGNS = { better: "▲", worse: "▼", "no effect": "=", "cannot tell yet": "?" };
  const MEANS = {
    better: "better than the control: the interval lies above 0", worse: "worse: the interval lies below 0",
    "no effect": "no effect: shown to lie inside the margin", "cannot tell yet": "cannot tell yet (hatched)",
  };
  const BELOW = [[226, 138, 66], [244, 204, 164]], ABOVE = [[176, 208, 232], [84, 153, 205]], MIDDLE = [247, 247, 246];
  const AMOUNT = [[246, 246, 241], [186, 214, 199], [104, 176, 155]];

  // --- small helpers
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "text") element.textContent = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const fixed = (hundredths) => (hundredths / 100).toFixed(1).replace("-", "−").replace(/^−(0\.0)$/, "$1");
  const signed = (hundredths) => {
    const text = fixed(hundredths);
    return text === "0.0" || text.startsWith("−") ? text : "+" + text;
  };
  const amount = (v, hundredths) => (v.change ? signed(hundredths) : v.unit === "%" ? fixed(hundredths) : Math.round(hundredths / 100).toLocaleString("en-GB"));
  const ends = (v, side, i) => (v.ends && v.ends[side][i] ? (side === "low" ? "≤ " : "≥ ") : "") + amount(v, v[side][i]);
  const unit = (v) => (v.unit === "%" ? " %" : " " + v.unit);
  const estimate = (v, i) => (v.mark ? v.mark[i] || "" : "") + amount(v, v.value[i]);
  const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");
  const p = (tenThousandths) => (tenThousandths === null ? "none" : tenThousandths < 10 ? "< 0.001" : (tenThousandths / 1e4).toFixed(3));
  const corrected = (v, i) => (v.holm[i] === null && v.p[i] !== null
    ? "named before the run, so not corrected" : `corrected with all other settings (Holm) ${p(v.holm[i])}`);
  const between = (v, i) => (v.low[i] === null ? "no interval" : v.change ? `${signed(v.low[i])} to ${signed(v.high[i])}` : `${ends(v, "low", i)} to ${ends(v, "high", i)}`);
  const mix = (a, b, t) => a.map((from, k) => Math.round(from + (b[k] - from) * t));
  const along = (stops, t) => {
    const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
    return `rgb(${mix(stops[low], stops[low + 1], at - low).join()})`;
  };

  // --- what a reader has chosen
  const varied = factors.map((f, i) => i).filter((i) => factors[i].levels.length > 1);
  const axes = factors.map((f, i) => i).filter((i) => varied.includes(i) || ["n_real", "n_gen"].includes(factors[i].name));
  const named = (name) => factors.findIndex((f) => f.name === name);
  const real = named("n_real");
  const state = {
    x: real, y: N_GEN, value: 0, open: null, fixed: factors.map((f, i) => (i === N_GEN && f.levels.length > 1 && f.levels[0] === "0" ? 1 : 0)),
  };
  const levels = (i) => factors[i].levels.map((text, code) => ({ text, code }));
  const withControl = () => factors[state.x].generation || factors[state.y].generation;
  const offered = (i) => levels(i).filter((l) => !(i === N_GEN && l.text === "0" && withControl()));

  const find = (want, control) => {
    for (let i = 0; i < n; i++) {
      if (Boolean(settings.control[i]) !== control) continue;
      if (factors.every((f, k) => {
        const code = settings.levels[k][i];
        return code === -1 || (control && k === N_GEN) || code === want[k];
      })) return i;
    }
    return -1;
  };
  const told = (i) => factors
    .map((f, k) => ({ f, k, code: settings.levels[k][i] }))
    .filter(({ f, k, code }) => code >= 0 && (varied.includes(k) || ["n_real", "n_gen"].includes(f.name)))
    .map(({ f, code }) => f.name + " " + f.levels[code]).join(", ");
  const missing = (i) => {
    if (i < 0) return "not run";
    if (settings.diverged[i]) return "diverged";
    if (settings.failed[i]) return "failed";
    return "no pair";
  };
  const notes = (i, v) => {
    const out = [];
    const used = v.n[i] || 0, dropped = settings.cells[i] - used;
    if (settings.starved[i]) out.push(plural(settings.starved[i], "seed") + " starved");
    if (settings.diverged[i]) out.push(settings.diverged[i] + " diverged");
    if (settings.failed[i]) out.push(settings.failed[i] + " failed");
    if (dropped > 0) out.push(plural(dropped, "seed") + " without a usable result");
    return out;
  };
  const sentence = (i) => {
    const v = shown(i);
    if (v === null || v.value[i] === null) return `${told(i)}: no value (${missing(i)})`;
    const change = (v.change ? "" : v.label.toLowerCase() + " ") + estimate(v, i) + unit(v);
    const interval = v.low[i] === null ? "no interval" : `95 % interval ${between(v, i)}`;
    const word = v.change ? [verdicts[v.verdict[i]]] : settings.control[i] ? ["the real-only control"] : [];
    return [`${told(i)}: ${change}`, interval, plural(v.n[i], "seed"), ...notes(i, v), ...word].join(", ");
  };
  // a control has no change against itself, nor generated images to be worth anything: it shows its own accuracy
  const shown = (i) => {
    const v = values[state.value];
    return settings.control[i] ? accuracy : v;
  };

  // --- the choices
  const bar = make("form", { class: "choices", "aria-label": "What the map shows" });
  bar.addEventListener("submit", (event) => event.preventDefault());
  const select = (title, options, chosen, act) => {
    const list = make("select", { onchange: (event) => act(Number(event.target.value)) });
    options.forEach(({ text, code }) => list.append(make("option", { value: code, text, selected: code === chosen })));
    bar.append(make("label", {}, title, list));
    return list;
  };
  const choices = (focus) => {
    bar.replaceChildren();
    const listed = axes.map((i) => ({ text: factors[i].label, code: i }));
    const axis = (key, other) => (i) => {
      if (state[other] === i) state[other] = state[key];
      state[key] = i;
      redraw(key);
    };
    const made = {
      value: select("Value", values.map((v, code) => ({ text: `${v.label}, ${v.unit}`, code })), state.value, (i) => { state.value = i; redraw("value"); }),
    };
    if (listed.length > 1) {
      made.x = select("Across", listed, state.x, axis("x", "y"));
      made.y = select("Down", listed, state.y, axis("y", "x"));
    }
    factors.forEach((f, i) => {
      if (i === state.x || i === state.y) return;
      const options = offered(i);
      if (options.length && !options.some((o) => o.code === state.fixed[i])) state.fixed[i] = options[0].code;
      if (options.length > 1) made[i] = select("at " + f.name, options, state.fixed[i], (code) => { state.fixed[i] = code; redraw(i); });
    });
    if (focus !== undefined && made[focus]) made[focus].focus();
  };

  // --- the map
  const caption = make("p", { class: "quiet", id: "map-caption" });
  const holder = make("div", { class: "scroll" });
  const readout = make("p", { class: "readout" });
  const key = make("ul", { class: "key" });
  const panel = make("section", { class: "panel", id: "setting", "aria-label": "The chosen setting", hidden: true });
  let places = []; // [row][column] -> button
  let at = [0, 0];

  const colour = (v, value) => {
    if (v.change) {
      const t = value / scale(v).high;
      return t < 0 ? along([MIDDLE, BELOW[1], BELOW[0]], -t) : along([MIDDLE, ABOVE[0], ABOVE[1]], t);
    }
    const { low, high } = scale(v);
    return along(AMOUNT, high > low ? (value - low) / (high - low) : 0.5);
  };
  const scales = new Map();
  const scale = (v) => {
    if (!scales.has(v)) {
      const found = v.value.filter((x) => x !== null);
      const reach = Math.max(100, ...found.map(Math.abs));
      scales.set(v, v.change ? { low: -reach, high: reach } : { low: Math.min(...found), high: Math.max(...found) });
    }
    return scales.get(v);
  };

  const cell = (i, most) => {
    const v = i < 0 ? null : shown(i);
    if (i < 0 || v.value[i] === null) {
      const why = missing(i);
      return make("button", { type: "button", class: "cell blank", tabindex: -1, "data-setting": i, "aria-label": i < 0 ? "not run" : sentence(i), text: why });
    }
    const control = Boolean(settings.control[i]) && values[state.value] !== accuracy;
    const word = v.change ? verdicts[v.verdict[i]] : null;
    const button = make("button", {
      type: "button", class: "cell" + (word === "cannot tell yet" ? " hatch" : ""), tabindex: -1, "data-setting": i,
      "aria-label": sentence(i), "aria-expanded": String(state.open === i), "aria-controls": "setting",
    });
    const main = v.change ? `${signed(v.value[i])} ${SIGNS[word]}` : estimate(v, i) + (control ? " %" : "");
    const half = v.low[i] === null ? "" : v.mark ? between(v, i) : "± " + fixed((v.high[i] - v.low[i]) / 2);
    const few = v.n[i] === most ? "" : `n = ${v.n[i]}`;
    button.append(make("span", { text: main + (settings.starved[i] ? " †" : "") }));
    if (half || few) button.append(make("small", { text: [half, few].filter(Boolean).join(", ") }));
    if (!control) button.style.backgroundColor = colour(v, v.value[i]);
    return button;
  };

  const draw = () => {
    const [x, y] = [factors[state.x], factors[state.y]];
    const v = values[state.value];
    const most = Math.max(...v.n.filter((count) => count !== null));
    const want = state.fixed.slice();
    const columns = levels(state.x).filter((l) => !(state.x === N_GEN && l.text === "0" && withControl()));
    const rows = levels(state.y).filter((l) => !(state.y === N_GEN && l.text === "0" && withControl())).reverse();
    const controlRow = y.generation, controlColumn = !y.generation && x.generation;
    const fixedText = factors.map((f, i) => [f, i]).filter(([, i]) => i !== state.x && i !== state.y && varied.includes(i) && offered(i).length > 0)
      .map(([f, i]) => `${f.name} ${f.levels[state.fixed[i]]}`).join(", ");
    const table = make("table", { class: "map", role: "grid", "aria-label": `${v.label}, ${v.unit}, over ${x.name} and ${y.name}`, "aria-describedby": "map-caption" });
    caption.textContent = `${v.label}, ${v.unit}${fixedText ? ", at " + fixedText : ""}. ${v.mark ? "Estimate, and its 95 % interval over seeds." : "Mean ± half-width of the 95 % interval over seeds."}`;
    const width = columns.length + (controlColumn ? 1 : 0);
    const top = make("tr", { role: "row" }, make("th", { class: "axis", scope: "col", role: "columnheader", rowspan: 2, text: y.label + " ↓" }), make("th", { class: "axis", scope: "colgroup", role: "columnheader", colspan: width, text: x.label + " →" }));
    const second = make("tr", { role: "row" });
    if (controlColumn) second.append(make("th", { scope: "col", role: "columnheader", text: "real only" }));
    columns.forEach((l) => second.append(make("th", { scope: "col", role: "columnheader", text: l.text })));
    table.append(make("thead", { role: "rowgroup" }, top, second));
    const body = make("tbody", { role: "rowgroup" });
    places = [];
    const add = (row, line, i, span) => {
      const button = cell(i, most);
      row.append(make("td", { role: "gridcell", colspan: span > 1 ? span : null }, button));
      for (let k = 0; k < span; k++) line.push(button);
    };
    rows.forEach((l) => {
      want[state.y] = l.code;
      const row = make("tr", { role: "row" }, make("th", { scope: "row", role: "rowheader", text: l.text, title: l.text })), line = [];
      if (controlColumn) add(row, line, find(want, true), 1);
      columns.forEach((c) => {
        want[state.x] = c.code;
        const code = want[N_GEN];
        add(row, line, find(want, factors[N_GEN].levels[code] === "0"), 1);
      });
      places.push(line);
      body.append(row);
    });
    if (controlRow) {
      const row = make("tr", { role: "row" }, make("th", { scope: "row", role: "rowheader", text: "real only" })), line = [];
      if (x.generation) add(row, line, find(want, true), columns.length);
      else columns.forEach((c) => { want[state.x] = c.code; add(row, line, find(want, true), 1); });
      places.push(line);
      body.append(row);
    }
    table.append(body);
    table.addEventListener("keydown", move);
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button.cell");
      if (button && Number(button.dataset.setting) >= 0) { aim(button); open(Number(button.dataset.setting), true); }
    });
    table.addEventListener("focusin", (event) => tell(event.target));
    table.addEventListener("mouseover", (event) => tell(event.target));
    holder.replaceChildren(table);
    const having = (i) => places.flat().find((b) => Number(b.dataset.setting) === i);
    const current = (state.open !== null && having(state.open)) || having(data.start ?? -2) || (places[0] && places[0][0]);
    if (current) aim(current);
    legend(v);
    tell(current);
  };

  const tell = (target) => {
    const button = target && target.closest && target.closest("button.cell");
    if (!button) return;
    const i = Number(button.dataset.setting);
    readout.textContent = i < 0 ? "This setting has not been run." : sentence(i) + ".";
  };
  const aim = (button) => {
    places.flat().forEach((b) => { b.tabIndex = -1; });
    button.tabIndex = 0;
    const row = places.findIndex((line) => line.includes(button));
    at = [row, places[row].indexOf(button)];
  };
  const move = (event) => {
    const last = places.length - 1, wide = places[at[0]] ? places[at[0]].length - 1 : 0;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -wide], End: [0, wide] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const here = places[at[0]][at[1]];
    let [row, column] = at, target = here;
    do {
      row += step[0];
      column += step[1];
      if (row < 0 || row > last || column < 0 || column > wide) return;
      target = places[row][column];
    } while (target === here); // one wide cell is one stop
    aim(target);
    at = [row, column]; // keeps the column while passing a wide cell
    target.focus();
  };

  const legend = (v) => {
    key.replaceChildren();
    const strip = make("i", { "aria-hidden": "true" }), { low, high } = scale(v);
    strip.style.background = v.change
      ? `linear-gradient(90deg, ${[-1, -0.5, 0, 0.5, 1].map((t) => colour(v, t * high)).join()})`
      : `linear-gradient(90deg, ${[0, 0.5, 1].map((t) => colour(v, low + t * (high - low))).join()})`;
    const ends = [amount(v, low), amount(v, high) + unit(v)];
    key.append(make("li", {}, make("span", { class: "scale" }, ends[0], strip, ends[1])));
    if (v.change) {
      const seen = new Set(v.verdict.filter((code) => code !== null).map((code) => verdicts[code]));
      verdicts.filter((word) => seen.has(word)).forEach((word) => key.append(make("li", {}, make("b", { text: SIGNS[word] }), MEANS[word])));
    }
    if (v !== accuracy) key.append(make("li", {}, make("span", { class: "swatch", "aria-hidden": "true" }), "grey: the control’s own accuracy"));
    if (settings.starved.some(Boolean)) key.append(make("li", {}, make("b", { text: "†" }), "starved: the filter let too few images through"));
  };

  // --- one setting
  const bars = (delta, low, high, reach) => {
    const box = make("span", { class: "bars", "aria-hidden": "true" });
    const place = (value) => 50 + 50 * Math.min(Math.max(value / reach, -1), 1);
    const part = (name, from, to) => {
      const bit = make("i", { class: name });
      bit.style.left = Math.min(from, to) + "%";
      if (to !== from) bit.style.width = Math.abs(to - from) + "%";
      box.append(bit);
    };
    const sure = low !== null && (low > 0 || high < 0);
    part("bar" + (sure ? (delta > 0 ? " better" : " worse") : " hatch"), 50, place(delta));
    if (low !== null) part("reach", place(low), place(high));
    part("zero", 50, 50);
    return box;
  };
  const byClass = (i) => {
    const row = classes.at[i];
    if (row < 0) return make("p", { class: "quiet", text: "This setting has no result class by class." });
    const start = row * classes.names.length, paired = classes.names.some((_, c) => classes.delta[start + c] !== null);
    const heads = paired ? ["class", "real only, %", "with generated, %", "change, points", "95 % interval", ""] : ["class", "recall, %"];
    const table = make("table", { class: "sortable" });
    const text = make("p", { class: "quiet", text: paired ? "Recall class by class, against real only: mean over the same seeds. Each class by itself; at 95 % one in 20 stands out by luck alone." : "Recall class by class, mean over seeds." });
    table.append(make("caption", { class: "vh", text: "Recall class by class" }), make("thead", {}, make("tr", {}, ...heads.map((text, k) => make("th", { scope: "col", class: k === 0 ? "words" : null, "data-plain": !text, text: text || "drawn" })))));
    const order = classes.names.map((_, c) => c);
    if (paired) order.sort((a, b) => (classes.delta[start + b] ?? -1e9) - (classes.delta[start + a] ?? -1e9));
    let reach = 100;
    order.forEach((c) => { reach = Math.max(reach, Math.abs(classes.delta[start + c] ?? 0) * 1.6); });
    const body = make("tbody");
    const percent = (value) => (value === null ? "—" : fixed(value));
    order.forEach((c) => {
      const k = start + c, [delta, low, high] = [classes.delta[k], classes.low[k], classes.high[k]];
      const tr = make("tr", {}, make("th", { scope: "row", class: "words", text: classes.names[c] }));
      if (!paired) tr.append(make("td", { text: percent(classes.accuracy[k]) }));
      else if (delta === null) tr.append(...["—", percent(classes.accuracy[k]), "—", "—", ""].map((text) => make("td", { text })));
      else {
        [fixed(classes.control[k]), percent(classes.accuracy[k]), signed(delta), low === null ? "no interval" : `[${signed(low)}, ${signed(high)}]`]
          .forEach((text) => tr.append(make("td", { text })));
        tr.append(make("td", {}, bars(delta, low, high, reach)));
      }
      body.append(tr);
    });
    table.append(body);
    window.ganaug.sortable(table);
    return make("div", {}, text, make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Recall class by class" }, table));
  };
  const samples = (i) => {
    const sheet = sheets[settings.sheet[i]];
    if (!sheet) return [];
    const [height, width] = sheet.shape, size = Math.max(1, Math.round(36 / Math.max(height, width))) * Math.max(height, width);
    const zoom = Math.min(size, 64) / Math.max(height, width), [h, w] = [height * zoom, width * zoom];
    const head = make("tr", {}, make("th", { scope: "col", class: "words", text: "class" }), ...sheet.parts.map((part) => make("th", { scope: "col", class: "words", text: part.name })));
    const body = make("tbody");
    classes.names.forEach((name, c) => {
      const row = make("tr", {}, make("th", { scope: "row", class: "words", text: name }));
      sheet.parts.forEach((part) => {
        const strip = make("span", { class: "strip", role: "img", "aria-label": `class ${name}: ${part.name}` });
        strip.style.width = w * sheet.across + "px";
        strip.style.height = h + "px";
        strip.style.backgroundImage = `url("${part.uri}")`;
        strip.style.backgroundSize = `${w * sheet.across}px ${h * classes.names.length}px`;
        strip.style.backgroundPosition = `0 ${-h * c}px`;
        row.append(make("td", { class: "words" }, strip));
      });
      body.append(row);
    });
    const table = make("table", { class: "strips" }, make("caption", { class: "vh", text: "Sample images" }), make("thead", {}, head), body);
    const text = `Of this setting’s generator (${sheet.title}). Black: there is no such image.`;
    return [make("h4", { text: "Sample images" }), make("p", { class: "quiet", text }), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Sample images" }, table)];
  };
  const link = (i) => {
    const spot = factors.map((f, k) => [f, settings.levels[k][i]]).filter(([, code]) => code >= 0)
      .map(([f, code]) => encodeURIComponent(f.name) + ":" + encodeURIComponent(f.levels[code])).join(",");
    return `#cell=${spot}&x=${encodeURIComponent(factors[state.x].name)}&y=${encodeURIComponent(factors[state.y].name)}&value=${encodeURIComponent(values[state.value].name)}`;
  };
  const open = (i, focus) => {
    state.open = i;
    places.flat().forEach((b) => b.hasAttribute("aria-expanded") && b.setAttribute("aria-expanded", String(Number(b.dataset.setting) === i)));
    const rows = values.filter((v) => v.value[i] !== null).map((v) => {
      const tests = v.change ? `; p ${p(v.p[i])}, ${corrected(v, i)}; by itself: ${verdicts[v.verdict[i]]}` : "";
      return [v.label, `${estimate(v, i)}${unit(v)} (95 % interval: ${between(v, i)}; ${plural(v.n[i], "seed")}${tests})`];
    });
    const odd = accuracy ? notes(i, accuracy) : [];
    if (odd.length) rows.push(["Not as planned", odd.join(", ")]);
    const list = make("dl", { class: "pairs" });
    rows.forEach(([term, text]) => list.append(make("dt", { text: term }), make("dd", { text })));
    const address = link(i);
    panel.replaceChildren(
      make("h3", { tabindex: -1, text: (settings.control[i] ? "Real only: " : "") + told(i) }),
      make("div", { class: "act" },
        make("button", { type: "button", class: "plain", text: "Back to the map", onclick: close }),
        make("a", { href: address, text: "Link to this setting" })),
      list, make("h4", { text: "Class by class" }), byClass(i), ...samples(i),
    );
    panel.hidden = false;
    try { history.replaceState(null, "", address); } catch { /* a page in a frame may not */ }
    if (focus) {
      panel.firstChild.focus({ preventScroll: true });
      panel.scrollIntoView({ block: "nearest" });
    }
  };
  const close = () => {
    const button = places.flat().find((b) => Number(b.dataset.setting) === state.open) || places.flat().find((b) => b.tabIndex === 0);
    state.open = null;
    panel.hidden = true;
    places.flat().forEach((b) => b.hasAttribute("aria-expanded") && b.setAttribute("aria-expanded", "false"));
    try { history.replaceState(null, "", "#map"); } catch { /* as above */ }
    if (button) button.focus();
  };
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  const redraw = (focus) => {
    choices(focus);
    draw();
  };
  // #cell=n_real:10,n_gen:200&x=n_real&y=threshold&value=accuracy
  const follow = () => {
    const parts = Object.fromEntries(location.hash.slice(1).split("&").map((part) => part.split(/=(.*)/s).slice(0, 2)));
    if (parts.cell === undefined) return false;
    const asked = (key) => decodeURIComponent(parts[key] ?? "");
    const [x, y, value] = [named(asked("x")), named(asked("y")), values.findIndex((v) => v.name === asked("value"))];
    if (x >= 0 && y >= 0 && x !== y) [state.x, state.y] = [x, y];
    if (value >= 0) state.value = value;
    const wanted = parts.cell.split(",").map((pair) => pair.split(":").map(decodeURIComponent));
    const match = (i) => wanted.every(([name, text]) => {
      const k = named(name);
      return k >= 0 && settings.levels[k][i] >= 0 && factors[k].levels[settings.levels[k][i]] === text;
    });
    // of several, the one that is least beyond what was asked for: a real-only cell has the fewest factors
    const known = (i) => factors.filter((_, k) => settings.levels[k][i] >= 0).length;
    const found = settings.control.map((_, i) => i).filter(match).sort((a, b) => known(a) - known(b))[0];
    if (found === undefined) {
      redraw();
      readout.textContent = "The setting that this link names is not in this run.";
      return true;
    }
    factors.forEach((f, k) => { if (settings.levels[k][found] >= 0) state.fixed[k] = settings.levels[k][found]; });
    state.open = found;
    redraw();
    open(found, true);
    return true;
  };
  window.addEventListener("hashchange", () => { try { follow(); } catch { /* no link of ours */ } });

  if (data.start !== null && data.start >= 0) factors.forEach((f, k) => { if (settings.levels[k][data.start] >= 0) state.fixed[k] = settings.levels[k][data.start]; });
  root.replaceChildren(bar, caption, holder, readout, key, panel);
  let linked = false;
  try { linked = follow(); } catch { /* a fragment that is no link of ours */ }
  if (!linked) redraw();
  document.documentElement.dataset.map = "ready";
  if (window.performance) performance.mark("map-ready");
})();
