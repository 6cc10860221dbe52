"""A study of unlabelled images: what may stand in it, and the cells that stand beside each of its settings."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sweeps.refusals import short

if TYPE_CHECKING:
    from ganaug.specs import SemiSpec
    from sweeps.study import Study

Value = dict[str, Any]

OF_GENERATED = {"n_gen": [0], "threshold": [0.0], "gan_da": ["none"], "n_da": [None], "clf_da": ["none"]}
"""The factors that such a study cannot vary, with the one value that says there is nothing of the kind."""

WITHOUT = ("gan", "pool", "filter", "judge", "mixing", "augmentation", "classifier")


def check(study: "Study") -> None:
    """Raise ValueError where a study asks for unlabelled images and for what does not go with them."""
    if study.semi is None:
        inside = next((p for p in study.paths if p.startswith("semi.")), None)
        if inside:
            raise ValueError(f"factors.{inside}: the study has no section semi, e.g. semi: {{method: sgan}}")
        return
    for name, only in OF_GENERATED.items():
        if study.factors[name] != only:
            raise ValueError(
                f"factors.{name}: has no meaning where classifiers learn from unlabelled images (section semi), got "
                f"{short(study.factors[name])}; leave it out"
            )
    for path in study.paths:
        if path.split(".")[0] in WITHOUT:
            raise ValueError(f"factors.{path}: only the section semi says how a semi-supervised classifier is trained")
    if "semi.fewer_steps" in study.factors:
        raise ValueError(
            "factors.semi.fewer_steps: belongs to the control fewer-updates, and there is one; give one number in "
            "semi.fewer_steps"
        )
    if study.search is not None:
        raise ValueError("search: looks for settings of generated images, and a study with the section semi has none")
    if study.controls.arms or study.controls.curve:
        raise ValueError(
            "controls: a study with the section semi has its own, the supervised fit with equal updates and, with "
            "semi.fewer_steps, one with fewer; leave them out"
        )


def unfelt(factors: Value, spec: "SemiSpec") -> list[str]:
    """The factors of a semi-supervised cell that its method does not know."""
    others = {"fixmatch": ("semi.gan.",), "sgan-fixmatch": ()}
    none: tuple[str, ...] = others.get(spec.method, ("semi.fixmatch.",))
    return [name for name in factors if name.startswith(none)]


def controls(study: "Study") -> list[str]:
    """What the semi-supervised cells are measured against."""
    return ["real-only", *(["fewer-updates"] if study.semi and study.semi.fewer_steps else [])]


def arms(study: "Study", grid: Iterator[tuple[Value, Value]]) -> Iterator[tuple[Value, Value]]:
    """Per setting the supervised control, and with `fewer_steps` the one that is not matched in updates."""
    for factors, setting in grid:
        yield factors | {"arm": "real-only"}, setting
        if setting["semi"].fewer_steps is not None:
            yield factors | {"arm": "fewer-updates"}, setting
