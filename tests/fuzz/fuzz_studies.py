"""Study files, and what `--set` says."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz_mutators import mutated, mutated_text
from fuzz_target import ROOT, Target, put


def _study_files() -> dict[str, bytes]:
    wanted = ("quickstart", "best", "emnist-augment", "sgan-mnist", "cifar10-da", "infogan-etl-kanji10")
    return {name: (ROOT / "sweeps" / "studies" / f"{name}.yaml").read_bytes() for name in wanted}


def damage_text(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if rng.randrange(4) == 0:
        return mutated(data, others, rng)
    return mutated_text(data.decode(), [other.decode() for other in others], rng).encode("utf-8", "replace")


def _read_study(name: str, data: bytes, folder: Path) -> object:
    from sweeps import study_file

    study = study_file.load(str(put(folder, "study.yaml", data)))
    return study_file.to_yaml(study)


def _set_files() -> dict[str, bytes]:
    asked = (
        "n_real=[3,10]", "gan.steps=500", "seed=[0,1]", "primary.n_gen=50", "factors.threshold=[0.5]", "assess=null",
        "classifier.preprocessing.rescale=0.5", "search.space.gan.steps=[1,2]", "dataset={name: digits}",
        "filter.also.name=rejection", "semi={method: fixmatch}", "augmentation.fill=edge", "variant=published",
    )  # fmt: skip
    return {f"{i}": text.encode() for i, text in enumerate(asked)}


def _damage_set(name: str, data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    if rng.randrange(3) == 0:
        return mutated(data, others, rng)
    key, _, value = data.decode().partition("=")
    other_key, _, other_value = rng.choice(others).decode().partition("=")
    match rng.randrange(5):
        case 0:
            return f"{key}={other_value}".encode()
        case 1:
            return f"{key}.{other_key}={value}".encode()
        case 2:
            return f"{'.'.join([key] * rng.choice((2, 40, 3000)))}={value}".encode()
        case 3:
            return f"{other_key}={mutated_text(value, [], rng)}".encode("utf-8", "replace")
        case _:
            return f"{key}={mutated_text(value, [], rng)}".encode("utf-8", "replace")


def _read_set(name: str, data: bytes, folder: Path) -> object:
    """As the system hands arguments over: bytes that are no UTF-8 arrive as lone surrogates."""
    from sweeps import study_file

    return study_file.load("quickstart", [os.fsdecode(data)])


TARGETS: dict[str, Target] = {
    "study": Target(_study_files, _read_study, damage_text, share=0.6),
    "set": Target(_set_files, _read_set, _damage_set, share=0.4),
}
