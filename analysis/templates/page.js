"use strict";
// What every page can do: sort its tables, open its details for the printer, and own up to a script that failed.
(() => {
  window.addEventListener("error", (event) => {
    document.documentElement.dataset.error = event.message;
    document.querySelectorAll("[data-needs-script]").forEach((part) => {
      part.textContent = "This part of the page could not start (" + event.message + "). The tables hold the same numbers.";
    });
  });

  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").replace(/[\s,\u2009\u202f]/g, "").match(/^[<>\u2020[(±]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/i);
    return found ? Number(found[1]) - (text.trim().startsWith("<") ? 1e-9 : 0) : null;
  };

  const said = document.createElement("p");
  said.className = "vh";
  said.setAttribute("role", "status");
  document.body.append(said);

  const sort = (table, column, order) => {
    const rows = [...table.tBodies[0].rows];
    const keyed = rows.map((row) => {
      const text = row.cells[column].textContent.trim();
      return { row, text, value: number(text) };
    });
    const sign = order === "descending" ? -1 : 1;
    const empty = (item) => item.text === "" || item.text === "—";
    keyed.sort((a, b) => {
      if (empty(a) !== empty(b)) return empty(a) ? 1 : -1; // what is not there comes last either way
      if (a.value !== null && b.value !== null) return sign * (a.value - b.value);
      if ((a.value === null) !== (b.value === null)) return a.value === null ? 1 : -1;
      return sign * a.text.localeCompare(b.text, "en", { numeric: true });
    });
    table.tBodies[0].append(...keyed.map((item) => item.row));
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, i) => { if (head.dataset.plain === undefined) head.setAttribute("aria-sort", i === column ? order : "none"); });
    said.textContent = "sorted by " + heads[column].textContent.trim() + ", " + order;
  };

  const sortable = (table) => {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.dataset.plain !== undefined) return; // a picture has no order
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        sort(table, column, head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending");
      });
    });
  };
  document.querySelectorAll("table.sortable").forEach(sortable);

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
  window.ganaug = { sortable };
})();
