"""Numbers and settings as a report writes them."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.factors import varied

if TYPE_CHECKING:
    from analysis.run import Run

CONTROL_NAMES = {
    "real-only": "real images only",
    "classic-da": "classic augmentation",
    "duplicated": "duplicated real images",
    "shuffled": "shuffled labels",
    "more-real": "as many more real images",
    "with-validation": "real and validation images",
    "unfiltered": "unfiltered generated images",
    "no-da": "the same without classic augmentation",
    "fewer-updates": "labelled images only, fewer updates",
}


SEMI_NAMES = {"real-only": "labelled images only, as many updates"}


def control_name(run: "Run | None", against: str) -> str:
    """What a control is called; of a study of unlabelled images the real-only one has labelled images only."""
    return (SEMI_NAMES if run is not None and run.semi else {}).get(against, CONTROL_NAMES[against])


def images(run: "Run") -> str:
    """What a run is about."""
    return "unlabelled images" if run.semi else "generated images"


BY_ITSELF = {"helps": "better", "hurts": "worse", "no effect": "no effect", "cannot tell yet": "cannot tell yet"}
"""What one uncorrected interval says beside one control. "Helps" takes correction and all the controls: a verdict."""


def signed(points: float) -> str:
    """+1.2 or −0.4, with a real minus sign; 0.0 has none."""
    text = f"{points:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def between(low: float, high: float) -> str:
    """[+0.3, +2.1], or `(no interval)` where there is none."""
    return "(no interval)" if np.isnan(low) else f"[{signed(low)}, {signed(high)}]"


def plural_points(points: float) -> str:
    return f"{points:g} point" if points == 1 else f"{points:g} points"


def plural(n: int, word: str) -> str:
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def setting_names(records: pd.DataFrame) -> list[str]:
    """The factors that name a contrast: the three of the question, and every other one that varies."""
    generated = [] if "arm" in records and records["arm"].eq("semi-supervised").any() else ["n_gen", "threshold"]
    names = varied(records, besides=() if generated else ("n_gen",))
    return list(dict.fromkeys(["n_real", *generated, *names]))
