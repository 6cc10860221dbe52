"""Images from an exported generator: no store, no study, no Ray."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganaug.errors import UserError
from ganaug.gans.bundle import Bundle, load_bundle
from ganaug.gans.generate import generate
from sweeps.export import Format
from sweeps.export.collection import generated
from sweeps.export.describe import contents, write_provenance, write_words
from sweeps.export.formats import check, write_images
from sweeps.export.place import fill_new, require_new
from sweeps.export.versions import made_by

Say = Callable[[str], None]
PATIENCE = 50  # candidates looked at per image wanted, unless stated


def _labels(bundle: Bundle, wanted: list[str]) -> list[int]:
    """The labels of the classes that are wanted, in the order of the labels; all of them where none is named."""
    known = {name: label for label, name in enumerate(bundle.classes)}
    # a name that holds a comma is given whole
    names = [name for text in wanted for name in ([text] if text in known else text.split(","))]
    for name in names:
        if name not in known:
            raise UserError(f"--classes: no class {name!r}; there are {', '.join(bundle.classes)}")
    return sorted({known[name] for name in names}) or list(known.values())


def _short(bundle: Bundle, labels: list[int], accepted: list[int], n: int) -> list[str]:
    return [f"{bundle.classes[label]} ({got})" for label, got in zip(labels, accepted, strict=True) if got < n]


def export_images(
    folder: Path, to: Path, form: Format, n: int, classes: list[str], threshold: float, seed: int | None,
    max_candidates: int | None, say: Say,
) -> dict[str, Any]:  # fmt: skip
    """Draw `n` images per class from the generator in `folder` into the new folder `to`; export.json's values.

    max_candidates: images looked at per class before the filter is said to starve; None is 50 per image wanted.
    Raises UserError for a wish that cannot be met; then nothing is at `to`.
    """
    if not 0 <= threshold <= 1:
        raise UserError(f"--threshold: must lie in [0, 1], got {threshold:g}")
    require_new(to)
    bundle = load_bundle(folder)
    channels, height, width = bundle.fit.facts["shape"]
    check(form, (channels, height, width), len(bundle.classes))
    labels = _labels(bundle, classes)
    cap = PATIENCE * n if max_candidates is None else max_candidates
    if cap < n:
        raise UserError(f"--max-candidates: must be at least --n ({n}), got {cap}")
    made = generate(bundle, labels, n, threshold, seed, cap)
    accepted, candidates = made.facts["accepted"], made.facts["candidates"]
    if not sum(accepted):
        raise UserError(
            f"--threshold {threshold}: none of {cap} images per class passed the filter; lower it, "
            "or raise --max-candidates"
        )
    short = _short(bundle, labels, accepted, n)
    about, stream = bundle.provenance, bundle.seed if seed is None else seed
    own = stream == bundle.seed
    collection = generated(made, bundle.classes, str(about.get("dataset", "")), stream, str(about.get("generator", "")))
    told = {
        "what": f"Images from the generator of the study {about.get('study', 'unknown')}",
        "study": about.get("study"),
        "wanted_per_class": n,
        "threshold": threshold,
        "max_candidates": cap,
        "starved": short,
        "acceptance": {
            bundle.classes[label]: {"accepted": a, "candidates": c}
            for label, a, c in zip(labels, accepted, candidates, strict=True)
        },
        "own_stream": own,
        **contents(collection, form),
        **made_by(),
    }
    lines = [
        f"Wanted: {n} images of each of {len(labels)} classes, of a calibrated probability of at least {threshold:g}.",
        f"Stream {stream}: {'the very one' if own else 'not the one'} that the study took its images from.",
        *([f"The filter starved: too few images within {cap} per class of {', '.join(short)}."] if short else []),
    ]

    def fill(place: Path) -> None:
        files = write_images(form, place, collection)
        write_provenance(place / "provenance.csv", collection, files)
        write_words(place, told["what"], lines, told)

    fill_new(to, fill)
    if short:
        say(
            f"The filter starved: {len(short)} of {len(labels)} classes got fewer than {n} images "
            f"within {cap} candidates: {', '.join(short)}"
        )
    return told
