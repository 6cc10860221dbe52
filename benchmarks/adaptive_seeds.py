"""What adding seeds until a verdict is there costs and says, beside a fixed number of seeds. Simulated contrasts.

    python benchmarks/adaptive_seeds.py

prints its tables and rewrites its part of docs/statistics.md. One core, some minutes.

A contrast has a true effect of 0, +-0.3, +-1 or +-2 points and differences of a given sd; the margin is 0.5; 3 to 20
seeds. Its reference is what `analysis.statistics.decision` says of all 20 of the same seeds.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from analysis.paired import holm  # noqa: E402
from analysis.statistics.decision import decide_all  # noqa: E402
from analysis.statistics.looks import Looks  # noqa: E402
from analysis.statistics.sequential import FUTILE, course  # noqa: E402
from benchmarks.pages import rewrite, table  # noqa: E402

DOCUMENT = ROOT / "docs" / "statistics.md"
SEED, CONTRASTS, STUDIES = 20261121, 20_000, 2_000
MARGIN, FIRST, LAST, ALPHA = 0.5, 3, 20, 0.05
EFFECTS = (0.0, 0.3, -0.3, 1.0, -1.0, 2.0, -2.0)
OPEN = "cannot tell yet"
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
Words = Callable[[np.ndarray], np.ndarray]  # differences (contrasts, 20) to words after each seed, of the same shape


def normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.standard_normal(shape)


def heavy(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.standard_t(4, shape) / np.sqrt(2)


def skewed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.exponential(size=shape) - 1


class Prefixes:
    """Means and standard errors of the first n of each row, n from FIRST to LAST."""

    def __init__(self, differences: np.ndarray) -> None:
        self.n = np.arange(FIRST, LAST + 1)
        every = np.arange(1, LAST + 1)
        mean = differences.cumsum(1) / every
        squares = (differences**2).cumsum(1) - every * mean**2
        self.mean = mean[:, FIRST - 1 :]
        self.sd = np.sqrt(np.maximum(squares[:, FIRST - 1 :], 1e-300) / (self.n - 1))
        self.error = self.sd / np.sqrt(self.n)

    def p(self, at: float = 0.0) -> np.ndarray:
        """One-sided: of a mean below `at`."""
        return stdtr(self.n - 1, (self.mean - at) / self.error)

    def foreseen(self, bar: float) -> np.ndarray:
        """Chance that |t| over all seeds exceeds `bar`, as `analysis.statistics.sequential` foresees it."""
        limit = bar * self.sd / np.sqrt(LAST)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = self.sd * np.sqrt(1 / self.n - 1 / LAST)
            chance = stdtr(self.n - 1, (self.mean - limit) / spread) + stdtr(self.n - 1, (-self.mean - limit) / spread)
        chance[:, -1] = 0
        return chance


def spelled(found: Prefixes, decided: np.ndarray, none: np.ndarray, waits: np.ndarray) -> np.ndarray:
    """Words (contrasts, LAST): the first of helps, hurts, and of no effect where nothing is to be waited for."""
    sign = np.where(found.mean > 0, "helps", "hurts")
    word = np.where(decided, sign, np.where(none & ~waits, "no effect", OPEN))
    return np.concatenate([np.full((len(word), FIRST - 1), OPEN), word], 1)


def ours(differences: np.ndarray) -> np.ndarray:
    return course(differences, MARGIN, Looks(FIRST, LAST)).words


def weighted(power: float, futile: float = FUTILE) -> Words:
    """Boundaries of levels a (n / LAST)^power, a calibrated on 400,000 contrasts without an effect."""
    null = Prefixes(np.random.default_rng(SEED).standard_normal((400_000, LAST)))
    weight = (null.n / LAST) ** power
    a = np.quantile((2 * np.minimum(null.p(), 1 - null.p()) / weight).min(1), ALPHA)
    a_none = np.quantile((null.p() / weight).min(1), ALPHA)

    def words(differences: np.ndarray) -> np.ndarray:
        found = Prefixes(differences)
        none = np.maximum(found.p(MARGIN), 1 - found.p(-MARGIN)) < a_none * weight
        decided = 2 * np.minimum(found.p(), 1 - found.p()) < a * weight
        return spelled(found, decided, none, found.foreseen(stdtrit(LAST - 1, 1 - a / 2)) >= futile)

    return words


def peeking(differences: np.ndarray) -> np.ndarray:
    """The ordinary tests after every seed, as if each were the only look."""
    found = Prefixes(differences)
    none = np.maximum(found.p(MARGIN), 1 - found.p(-MARGIN)) < ALPHA
    return spelled(found, 2 * np.minimum(found.p(), 1 - found.p()) < ALPHA, none, np.zeros_like(none))


def mixture(differences: np.ndarray) -> np.ndarray:
    """A confidence sequence: the t-mixture martingale of Wang & Ramdas (2023), prior N(0, 1) on effect / sd."""
    found = Prefixes(differences)

    def evidence(at: float) -> np.ndarray:
        squares = (found.n - 1) * found.sd**2 + found.n * (found.mean - at) ** 2
        share = (found.n * (found.mean - at)) ** 2 / (found.n + 1)
        return -0.5 * np.log(found.n + 1) + found.n / 2 * np.log(squares / (squares - share))

    inside = np.abs(found.mean) < MARGIN
    none = inside & (np.minimum(evidence(MARGIN), evidence(-MARGIN)) > np.log(1 / (2 * ALPHA)))
    n = LAST

    def excess(t: float) -> float:
        squares = n - 1 + t**2
        return float(
            -0.5 * np.log(n + 1) + n / 2 * np.log(squares / (squares - n * t**2 / (n + 1))) - np.log(1 / ALPHA)
        )

    waits = found.foreseen(brentq(excess, 0, 50)) >= FUTILE
    return spelled(found, evidence(0) > np.log(1 / ALPHA), none, waits)


def outcome(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each contrast says when it stops, and after how many seeds."""
    decided = words != OPEN
    at = np.where(decided.any(1), decided.argmax(1), LAST - 1)
    return words[np.arange(len(words)), at], at + 1


def simulated(words: Words, sd: float, draw: Draw, contrasts: int) -> dict[float, dict[str, float]]:
    """By true effect: agreement with 20 fixed seeds, share of the fits, shares of the words, bias, coverage."""
    found = {}
    for effect in EFFECTS:
        rng = np.random.default_rng([SEED, round(1000 * sd), round(1000 * effect) % 2**31])
        differences = effect + sd * draw(rng, (contrasts, LAST))
        said, n = outcome(words(differences))
        fixed = decide_all(differences, MARGIN)["verdict"].to_numpy()
        kept = differences.cumsum(1)[np.arange(contrasts), n - 1] / n
        found[effect] = {
            "agree": float((said == fixed).mean()),
            "fits": float(n.mean() / LAST),
            "decides": float(np.isin(said, ["helps", "hurts"]).mean()),
            "fixed decides": float(np.isin(fixed, ["helps", "hurts"]).mean()),
            "wrong sign": float((said == ("hurts" if effect > 0 else "helps")).mean()) if effect else 0.0,
            "open": float((said == OPEN).mean()),
            "bias": float(kept.mean() - effect) * np.sign(effect),
        }
    return found


def mean(found: dict[float, dict[str, float]], name: str, sizes: bool = False) -> float:
    """Over the seven effects in equal parts, or over their four sizes in equal parts."""
    if not sizes:
        return float(np.mean([found[e][name] for e in EFFECTS]))
    return float(np.mean([np.mean([found[e][name] for e in EFFECTS if abs(e) == size]) for size in (0, 0.3, 1, 2)]))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def procedures(contrasts: int) -> str:
    named: dict[str, Words] = {
        "**sequential t, level n / 20** (shipped)": ours,
        "the same, no effect said without waiting": weighted(1, futile=2),
        "sequential t, one level at every look (Pocock)": weighted(0),
        "sequential t, level (n / 20)³ (near O’Brien & Fleming)": weighted(3),
        "confidence sequence, t-mixture": mixture,
        "ordinary tests after every seed": peeking,
    }
    rows = []
    for name, words in named.items():
        found = simulated(words, 0.4, normal, contrasts)
        cells = [mean(found, "agree"), mean(found, "fits"), mean(found, "agree", True), mean(found, "fits", True)]
        rows.append([name, *map(percent, cells), percent(found[0]["decides"]), percent(found[0.3]["agree"])])
    head = [
        "procedure", "agrees with 20 fixed seeds, %", "fits, % of 20", "agrees, four sizes in equal parts, %",
        "fits, %",         "helps or hurts without an effect, %", "agrees at +0.3, %",
    ]  # fmt: skip
    return table(head, rows)


def characteristics(contrasts: int) -> str:
    kinds: list[tuple[str, float, Draw]] = [(f"normal, sd {sd:g}", sd, normal) for sd in (0.2, 0.4, 0.57, 0.8)]
    kinds += [("heavy tails (t, 4 df), sd 0.4", 0.4, heavy), ("skewed (exponential), sd 0.4", 0.4, skewed)]
    rows = []
    for name, sd, draw in kinds:
        found = simulated(ours, sd, draw, contrasts)
        seeds = [f"{LAST * found[e]['fits']:.1f}" for e in (0, 0.3, 1, 2)]
        false = f"{percent(found[0]['decides'])} ({percent(found[0]['fixed decides'])})"
        rest = [percent(mean(found, "open")), f"{found[0.3]['bias']:+.2f}, {found[1]['bias']:+.2f}"]
        rows.append([name, percent(mean(found, "agree")), percent(mean(found, "fits")), false, *seeds, *rest])
    head = [
        "differences", "agrees, %", "fits, %", "helps or hurts without an effect, % (20 fixed)", "seeds at 0", "at 0.3",
        "at 1", "at 2", "still open, %", "mean too far from 0 by, at 0.3 and 1, points",
    ]  # fmt: skip
    return table(head, rows)


def decided_together(p: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Words of a study's contrasts: the first is the primary, the others are corrected together (Holm)."""
    corrected = np.concatenate([p[:1], holm(p[1:])])
    return np.where(np.isin(words, ["helps", "hurts"]) & ~(corrected < ALPHA), OPEN, words)


def study(effects: np.ndarray, sd: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One study, whose settings share a control of each three: its words, its seeds, and the words of 20 seeds each."""
    control = np.repeat(rng.standard_normal((len(effects) // 3, LAST)), 3, axis=0)
    differences = effects[:, None] + sd * (rng.standard_normal((len(effects), LAST)) - control) / np.sqrt(2)
    went, every = course(differences, MARGIN, Looks(FIRST, LAST)), np.arange(len(effects))
    n = np.full(len(effects), FIRST)
    while True:
        said = decided_together(went.p[every, n - 1], went.words[every, n - 1])
        growing = (said == OPEN) & (n < LAST)
        if not growing.any():
            break
        n = n + growing
    fixed = decide_all(differences, MARGIN)
    return said, n, decided_together(fixed["p"].to_numpy(float), fixed["verdict"].to_numpy())


def studies(how_many: int) -> str:
    rows = []
    for name, pattern in (
        ("0 in all 12", (0.0,)),
        ("0, 0.3, 1, 2, −0.3, −1 in turn", (0.0, 0.3, 1.0, 2.0, -0.3, -1.0)),
    ):
        rng = np.random.default_rng([SEED, len(pattern)])
        effects = np.resize(pattern, 12)
        agree, fits, primary, any_false = [], [], [], []
        for _ in range(how_many):
            said, n, fixed = study(effects, 0.4, rng)
            wrong = np.isin(said, ["helps", "hurts"]) & (effects == 0)
            agree.append((said == fixed).mean())
            fits.append(n.mean() / LAST)
            primary.append(wrong[0])
            any_false.append(wrong[1:].any())
        rows.append([name, *(percent(float(np.mean(x))) for x in (agree, fits, primary, any_false))])
    head = [
        "effects of a study’s 12 contrasts", "agree with 20 fixed seeds, %", "fits, %",
        "primary without an effect: helps or hurts, %", "any secondary without one, after Holm, %",
    ]  # fmt: skip
    return table(head, rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--contrasts", type=int, default=CONTRASTS, help="per effect and row (default 20,000)")
    arguments.add_argument("--studies", type=int, default=STUDIES, help="whole studies per row (default 2,000)")
    asked = arguments.parse_args()
    began = time.perf_counter()
    parts = [
        f"Sd 0.4, {asked.contrasts:,} contrasts for each of the effects 0, ±0.3, ±1, ±2, margin {MARGIN:g}, "
        f"{FIRST} to {LAST} seeds.",
        procedures(asked.contrasts),
        "The shipped procedure, other differences:",
        characteristics(asked.contrasts),
        f"Whole studies: a primary and 11 secondary contrasts, three share a control; {asked.studies:,} each, sd 0.4.",
        studies(asked.studies),
    ]
    where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    parts.append(
        f"`python benchmarks/adaptive_seeds.py`, seed {SEED}; {where}, scipy {scipy.__version__}; "
        f"{time.perf_counter() - began:.0f} s. Monte-Carlo standard error of a share near 5 %: "
        f"{100 * np.sqrt(0.0475 / asked.contrasts):.2f} points, of whole studies "
        f"{100 * np.sqrt(0.0475 / asked.studies):.1f}.\n"
    )
    text = "\n\n".join(parts)
    print(text)
    if (asked.contrasts, asked.studies) == (CONTRASTS, STUDIES):
        rewrite(DOCUMENT, "adaptive_seeds.py", text)


if __name__ == "__main__":
    main()
