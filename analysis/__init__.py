"""Records in; tables, statistics, figures and the report out. Reads a run folder without torch and without
Ray.

The names below are imported when first used, so `import analysis` costs nothing and figures load matplotlib
only when drawn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.against import write_comparison as write_comparison
    from analysis.classes import per_class_deltas as per_class_deltas
    from analysis.comparison import compare as compare
    from analysis.figures.acceptance import acceptance as acceptance
    from analysis.figures.heatmap import heatmap as heatmap
    from analysis.figures.learning import learning_curve as learning_curve
    from analysis.figures.losses import gan_losses as gan_losses
    from analysis.figures.per_class import class_forest as class_forest
    from analysis.figures.samples import sample_sheet as sample_sheet
    from analysis.paired import accuracy_over_seeds as accuracy_over_seeds
    from analysis.paired import deltas_over_seeds as deltas_over_seeds
    from analysis.paired import paired_deltas as paired_deltas
    from analysis.report import write_report as write_report
    from analysis.run import Run as Run
    from analysis.run import load as load
    from analysis.verdict import headline as headline

_HOME = {
    "Run": "analysis.run",
    "load": "analysis.run",
    "paired_deltas": "analysis.paired",
    "accuracy_over_seeds": "analysis.paired",
    "deltas_over_seeds": "analysis.paired",
    "per_class_deltas": "analysis.classes",
    "headline": "analysis.verdict",
    "learning_curve": "analysis.figures.learning",
    "heatmap": "analysis.figures.heatmap",
    "class_forest": "analysis.figures.per_class",
    "sample_sheet": "analysis.figures.samples",
    "gan_losses": "analysis.figures.losses",
    "acceptance": "analysis.figures.acceptance",
    "compare": "analysis.comparison",
    "write_comparison": "analysis.against",
    "write_report": "analysis.report",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
