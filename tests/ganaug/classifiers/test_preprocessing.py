"""What a classifier does to images before it looks at them: the same for all, learned from training images alone."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import CLASSIFIER, imported
from tiny import images as split_images

from ganaug.classifiers.fit import fit, predict
from ganaug.classifiers.networks import build, restore
from ganaug.classifiers.preprocessing import Preprocessing
from ganaug.images import to_float
from ganaug.specs import ClassifierSpec, PreprocessingSpec

SPLIT = split_images(10, 1).arrays
TEST = imported()[1].arrays["images"]
SCALED = ClassifierSpec(**CLASSIFIER.model_dump() | {"preprocessing": {"rescale": 1 / 255, "featurewise_center": True}})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the user's module `mine_own` and makes it importable."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("GANAUG_FUNCTIONS", "mine_own,nowhere_at_all:f")

    def write(source: str) -> None:
        sys.modules.pop("mine_own", None)
        (tmp_path / "mine_own.py").write_text(source)
        import importlib
        import linecache

        importlib.invalidate_caches()
        linecache.clearcache()
        sys.dont_write_bytecode = True

    yield write
    sys.modules.pop("mine_own", None)


def test_without_settings_a_network_is_what_it_was():
    net = build(CLASSIFIER, (1, 8, 8), 10, 0)
    assert not any(name.startswith("prepare") for name in net.state_dict())


def test_statistics_are_of_the_training_images_and_travel_with_the_weights():
    net, _ = fit(SCALED, SPLIT["real"], SPLIT["real_labels"], 10, 0)
    assert net.prepare.mean.item() == pytest.approx(SPLIT["real"].mean() / 255, abs=1e-6)
    arrays = {f"net.{k}": np.atleast_1d(v.numpy()) for k, v in net.state_dict().items()}
    back = restore(SCALED, (1, 8, 8), 10, arrays, "net.")
    with torch.no_grad():
        assert torch.equal(net(to_float(TEST)), back(to_float(TEST)))
    other, _ = fit(CLASSIFIER, SPLIT["real"], SPLIT["real_labels"], 10, 0)
    with torch.no_grad():
        assert not torch.equal(net(to_float(TEST)), other(to_float(TEST)))


def test_a_std_needs_its_center_and_a_digest_its_function():
    with pytest.raises(ValueError, match="samplewise_std needs samplewise_center: true, as Keras sets it by itself"):
        PreprocessingSpec(samplewise_std=True)
    with pytest.raises(ValueError, match="function_sha256 is of a function, and function says none; leave it out"):
        PreprocessingSpec(function_sha256="ab")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("mine_own", "function must be module:function, e.g. mine.images:sharpen, got 'mine_own'"),
        ("nowhere_at_all:f", "function nowhere_at_all:f: module 'nowhere_at_all' cannot be imported (No module named "
         "'nowhere_at_all'); install it, or put its folder on PYTHONPATH"),
        ("mine_own:g", "function mine_own:g: module 'mine_own' has no function 'g'"),
    ],
)  # fmt: skip
def test_a_function_that_is_not_there_is_refused_in_one_line(module, path, told):
    module("def f(x):\n    return x\n")
    with pytest.raises(ValueError, match="function") as caught:
        PreprocessingSpec(function=path)
    assert caught.value.errors()[0]["ctx"]["error"].args == (told,)


@pytest.mark.parametrize("allowed", ["", "mine", "mine_own:g", "mine_own.f", "mine_own_too"])
def test_a_function_that_nobody_allowed_is_not_even_imported(module, monkeypatch, allowed):
    module("raise SystemExit('imported')\n")
    monkeypatch.setenv("GANAUG_FUNCTIONS", allowed)
    with pytest.raises(ValueError, match="function") as caught:
        PreprocessingSpec(function="mine_own:f")
    assert caught.value.errors()[0]["ctx"]["error"].args == (
        "function mine_own:f is code that the study brings along, and runs only where it is allowed by name; read it, "
        "then set GANAUG_FUNCTIONS=mine_own:f",
    )


@pytest.mark.parametrize("allowed", ["mine_own", "mine_own:f", "other:g, mine_own:f"])
def test_a_function_is_allowed_by_its_name_or_its_modules(module, monkeypatch, allowed):
    module("def f(x):\n    return x\n")
    monkeypatch.setenv("GANAUG_FUNCTIONS", allowed)
    assert PreprocessingSpec(function="mine_own:f").function == "mine_own:f"


def test_a_module_that_fails_as_it_is_imported_is_refused_in_one_line(module):
    module("1 / 0\n")
    with pytest.raises(ValueError, match=r"module 'mine_own' cannot be imported \(division by zero\)"):
        PreprocessingSpec(function="mine_own:f")


def test_the_source_of_a_users_function_is_part_of_what_a_study_is(module):
    source = "def f(x):\n    return 255 - x\n"
    module(source)
    spec = PreprocessingSpec(function="mine_own:f", rescale=1 / 255)
    assert spec.function_sha256 == hashlib.sha256(source.encode()).hexdigest()
    assert PreprocessingSpec(**spec.model_dump()) == spec
    prepare = Preprocessing(spec, 1)
    x = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    torch.testing.assert_close(prepare(x).flatten(), torch.tensor([1, 0.5, 0]))  # the function comes before the scale

    module("def f(x):\n    return x / 2  # another idea\n")
    changed = PreprocessingSpec(function="mine_own:f", rescale=1 / 255)
    one, other = (ClassifierSpec(preprocessing=s).identity() for s in (spec, changed))
    assert one != other
    with pytest.raises(ValueError, match=r"the source of function mine_own:f has changed \(sha256 .* leave "):
        PreprocessingSpec(**spec.model_dump())
    with pytest.raises(RuntimeError, match="mine_own:f is not the function of the study any more: its source differs"):
        Preprocessing(spec, 1)


def test_a_function_that_changes_the_shape_is_refused(module):
    module("def f(x):\n    return x[:, :, 1:]\n")
    prepare = Preprocessing(PreprocessingSpec(function="mine_own:f"), 1)
    with pytest.raises(ValueError, match=r"mine_own:f must return float .* got \(2, 1, 2, 3\) torch.float32"):
        prepare(torch.zeros(2, 1, 3, 3))


def test_every_image_is_prepared_alike_whoever_is_beside_it():
    spec = SCALED.model_copy(update={"preprocessing": PreprocessingSpec(samplewise_center=True, samplewise_std=True)})
    net, _ = fit(spec, SPLIT["real"], SPLIT["real_labels"], 10, 0)
    assert predict(net, TEST[:1]).tolist() == predict(net, TEST[:50])[:1].tolist()
