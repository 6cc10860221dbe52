"""Classes that a generator has lost: an alarm per generator and class, raised before anybody looks at accuracies.

Two classifiers judge each generator (Shmelkov et al. 2018, arXiv:1807.09499): one trained on real images says what the
generated ones show, one trained on generated images says what they teach. Both are judged on validation images only.
"""

import pandas as pd

from analysis.run import Run

BELOW = 0.5
KINDS = ("not recognised", "does not teach", "cannot say")
RATES = ("recognised", "real_recognised", "taught")


def alarms(run: Run, below: float = BELOW) -> pd.DataFrame:
    """The classes of each generator that raise an alarm, a row per generator, class and kind, in the run's order.

    kind: `not recognised`: a classifier trained on real images calls fewer than `below` of the class's generated images
    by its name. `does not teach`: a classifier trained on generated images alone recalls fewer than `below` of the
    class's validation images. Both only where the classifier trained on real images recalls at least `below` of the
    class's validation images; else `cannot say`: not even real images show the class to it, or none were there to ask.
    Columns: generator, its factors, class, kind, recognised, real_recognised, taught (shares in [0, 1]). Empty for a
    run without assessed generators. ValueError for a `below` outside (0, 1].
    """
    if not 0 < below <= 1:
        raise ValueError(f"below must lie in (0, 1], got {below}")
    table = run.generator_classes
    names = [name for name in table.columns if name not in ("class", *RATES, "n_generated", "n_validation")]
    columns = [*names, "class", "kind", *RATES]
    if table.empty:
        return pd.DataFrame(columns=columns)
    known = table["real_recognised"].ge(below).fillna(False)
    found = {
        "not recognised": known & table["recognised"].lt(below).fillna(False),
        "does not teach": known & table["taught"].lt(below).fillna(False),
        "cannot say": ~known,
    }
    parts = [table[hit].assign(kind=kind) for kind, hit in found.items()]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)[columns]
