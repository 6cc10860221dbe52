"""The page that compares two runs: `report/against-<name>.html` in the first one's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparison import compare, differences, only_in_one, same_images
from analysis.factors import factors, varied, written
from analysis.page import data_uri, render
from analysis.run import Run, load
from analysis.tables import Table, table
from analysis.words import between, plural, signed
from ganaug.files import put


def _varied(frame: pd.DataFrame) -> list[str]:
    """The factors to name a setting by: the three of the question, and every other one that varies among them."""
    names = [name for name in factors(frame) if name not in ("n_real", "n_gen", "threshold")]
    return ["n_real", "n_gen", "threshold", *(n for n in names if n in varied(frame))]


def _percent(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.1f}"


def _p(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _change(row: dict[str, Any], side: str) -> str:
    if np.isnan(row[f"delta_{side}"]):
        return "—"
    return f"{signed(row[f'delta_{side}'])} {between(row[f'low_{side}'], row[f'high_{side}'])}"


def _settings(found: pd.DataFrame) -> Table:
    shown = []
    rows: Any = found.to_dict("records")
    for row in rows:
        told: dict[str, Any] = {"arm": row["arm"], **{name: written(row[name]) for name in _varied(found)}}
        told |= {"first, %": _percent(row["accuracy_a"]), "second, %": _percent(row["accuracy_b"])}
        told |= {"difference, points": signed(row["difference_points"])}
        told |= {"95 % interval": between(row["low_points"], row["high_points"])}
        told |= {"test": row["test"], "seeds": f"{row['n_a']}, {row['n_b']}", "p": _p(row["p"])}
        told |= {"p, Holm": _p(row["p_holm"]), "by itself": row["verdict"]}
        told |= {"first, against real only": _change(row, "a"), "second, against real only": _change(row, "b")}
        shown.append(told)
    return table(pd.DataFrame(shown), text=("arm", "test", "by itself"))


def _alone(found: pd.DataFrame) -> Table:
    names = _varied(found)
    shown = found[["run", "arm", *names, "seeds"]].assign(run=found["run"].map({"a": "first", "b": "second"}))
    return table(shown, text=("run", "arm"))


def _apart(found: pd.DataFrame) -> Table:
    shown = found.rename(columns={"a": "first", "b": "second"})
    return table(
        shown.map(lambda v: str(v) if isinstance(v, list | dict) else v),
        text=("key", "first", "second"),
        wrap=("key", "first", "second"),
    )


def _finding(found: pd.DataFrame, names: tuple[str, str]) -> tuple[str, str]:
    """A few words, and a sentence, over all settings; only what survives the correction counts."""
    sure = found["p_holm"] < 0.05
    counts = {
        "higher": int((sure & found["difference_points"].gt(0)).sum()),
        "lower": int((sure & found["difference_points"].lt(0)).sum()),
    }
    n = len(found)
    mean = float(found["difference_points"].mean())
    said = (
        f"Of {plural(n, 'setting')} in both, corrected together (Holm), {names[0]} is higher in {counts['higher']} and "
        f"lower in {counts['lower']}. The mean difference over settings is {signed(mean)} points."
    )
    if counts["higher"] and counts["lower"]:
        return "Higher in some settings, lower in others", said
    for word, count in counts.items():
        if count:
            return f"{word.capitalize()} in {'all' if count == n else f'{count} of {n}'} settings", said
    if found["verdict"].eq("no difference").all():
        return "No difference", said
    return "Cannot tell the runs apart yet", said


def _figures(found: pd.DataFrame, names: tuple[str, str], folder: Path, stem: str) -> Iterator[dict[str, Any]]:
    from analysis.figures.comparison import comparison_forest, comparison_scatter
    from analysis.figures.sheet import save, save_svg

    drawn = (
        (
            "forest",
            comparison_forest(found, _varied(found), names),
            "The difference of every setting, with its interval.",
        ),
        ("scatter", comparison_scatter(found, names), "The accuracies themselves: on the line both runs agree."),
    )
    for kind, figure, caption in drawn:
        path = folder / f"{stem}-{kind}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(figure, path)
        save_svg(figure, path.with_suffix(".svg"))
        width, height = (round(96 * side) for side in figure.get_size_inches())
        yield {
            "id": kind, "uri": data_uri(path.read_bytes()), "width": width, "height": height, "caption": caption,
            "alt": f"{caption} {names[0]} and {names[1]}. Numbers: table of settings.",
        }  # fmt: skip


def _named(a: Run, b: Run) -> tuple[str, str]:
    return (a.name, b.name) if a.name != b.name else (f"{a.name} ({a.folder.name})", f"{b.name} ({b.folder.name})")


def write_comparison(a: str | Path | Run, b: str | Path | Run) -> Path:
    """Write `report/against-<b's folder>.html` into the run folder `a` and return its path. UserError as `compare`."""
    a, b = load(a), load(b)
    if a.of_generators or b.of_generators:
        from analysis.generator_against import write_agreement

        return write_agreement(a, b)
    found = compare(a, b)
    names = _named(a, b)
    stem = f"against-{b.folder.resolve().name}"
    only, apart = only_in_one(a, b), differences(a, b)
    verdict, statement = _finding(found, names)
    sections = [
        {"title": f"{plural(len(found), 'setting')} in both", "table": _settings(found), "open": True},
        {"title": f"{plural(len(only), 'setting')} in one run only", "table": _alone(only), "open": len(only) <= 40},
        {"title": f"{plural(len(apart), 'thing')} the runs differ in", "table": _apart(apart), "open": True},
    ]
    page = render(
        "against.html.j2",
        ("page.js",),
        title=f"{names[0]} against {names[1]} — ganaug",
        names=names,
        folders=(str(a.folder), str(b.folder)),
        dataset=a.summary.get("dataset"),
        verdict=verdict,
        statement=statement,
        same=same_images(a, b),
        margin=f"{a.margin_points:g}",
        figures=list(_figures(found, names, a.folder / "report" / "figures", stem)),
        sections=[section for section in sections if section["table"].rows],  # type: ignore[attr-defined]
    )
    return put(a.folder / "report" / f"{stem}.html", page.encode(), "against.html")
