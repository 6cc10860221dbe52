"""Records in; tables, statistics, figures and the report out. Reads a run folder without torch and without
Ray.

The names below are imported when first used, so `import analysis` costs nothing and figures load matplotlib
only when drawn. Tables are tidy DataFrames; figures of one panel are matplotlib Axes (`analysis.plots` has more).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.against import write_comparison as write_comparison
    from analysis.classes import class_verdicts as class_verdicts
    from analysis.classes import per_class_deltas as per_class_deltas
    from analysis.classic import classic_contrasts as classic_contrasts
    from analysis.comparison import compare as compare
    from analysis.confusion import confusion_shifts as confusion_shifts
    from analysis.contrasts import against_controls as against_controls
    from analysis.contrasts import deltas as deltas
    from analysis.contrasts import verdict as verdict
    from analysis.effective import effective_real as effective_real
    from analysis.filters import filters_table as filters_table
    from analysis.finding import headline as headline
    from analysis.found import search_finding as search_finding
    from analysis.generator_agreement import agreement as agreement
    from analysis.generator_claims import claims_held as claims_held
    from analysis.generator_tables import generators as generators
    from analysis.metrics_table import gain_correlations as gain_correlations
    from analysis.over_settings import overall as overall
    from analysis.over_settings import primary_tests as primary_tests
    from analysis.paired import accuracy_over_seeds as accuracy_over_seeds
    from analysis.paired import deltas_over_seeds as deltas_over_seeds
    from analysis.paired import paired_deltas as paired_deltas
    from analysis.plots import forest as forest
    from analysis.plots import heatmap as heatmap
    from analysis.plots import learning_curve as learning_curve
    from analysis.plots import threshold_curve as threshold_curve
    from analysis.plots_of_search import filter_forest as filter_forest
    from analysis.plots_of_search import pareto_front as pareto_front
    from analysis.plots_of_search import search_history as search_history
    from analysis.plots_of_search import search_importances as search_importances
    from analysis.plots_of_search import search_values as search_values
    from analysis.report import write_report as write_report
    from analysis.run import Run as Run
    from analysis.run import load as load
    from analysis.variants import variants_table as variants_table

_HOME = {
    "Run": "analysis.run",
    "load": "analysis.run",
    "headline": "analysis.finding",
    "verdict": "analysis.contrasts",
    "deltas": "analysis.contrasts",
    "against_controls": "analysis.contrasts",
    "effective_real": "analysis.effective",
    "filters_table": "analysis.filters",
    "search_finding": "analysis.found",
    "overall": "analysis.over_settings",
    "primary_tests": "analysis.over_settings",
    "paired_deltas": "analysis.paired",
    "accuracy_over_seeds": "analysis.paired",
    "deltas_over_seeds": "analysis.paired",
    "per_class_deltas": "analysis.classes",
    "class_verdicts": "analysis.classes",
    "classic_contrasts": "analysis.classic",
    "confusion_shifts": "analysis.confusion",
    "generators": "analysis.generator_tables",
    "claims_held": "analysis.generator_claims",
    "agreement": "analysis.generator_agreement",
    "gain_correlations": "analysis.metrics_table",
    "compare": "analysis.comparison",
    "heatmap": "analysis.plots",
    "learning_curve": "analysis.plots",
    "forest": "analysis.plots",
    "threshold_curve": "analysis.plots",
    "filter_forest": "analysis.plots_of_search",
    "search_values": "analysis.plots_of_search",
    "search_history": "analysis.plots_of_search",
    "search_importances": "analysis.plots_of_search",
    "pareto_front": "analysis.plots_of_search",
    "variants_table": "analysis.variants",
    "write_comparison": "analysis.against",
    "write_report": "analysis.report",
}
# no function here is called like a module of this package: importing that module would put it in the function's place

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
