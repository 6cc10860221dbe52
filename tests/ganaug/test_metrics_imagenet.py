"""ImageNet's networks from a file: Inception's metrics are torch-fidelity's own, and no file is one clear line."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import CLASSIFIER, POOL, PROJECTION, InMemory

from ganaug.errors import UserError
from ganaug.metrics import weights
from ganaug.metrics.compare import compare
from ganaug.metrics.imagenet import Inception, resnet_probabilities
from ganaug.metrics.inception_score import inception_score
from ganaug.randomness import numpy_rng, seeded
from ganaug.specs import AssessSpec
from ganaug.stages import Assess, FitGan, LocalFile, Split, TrainImages

N = 12


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> LocalFile:
    """A state of the real layout with random numbers: there is no network to fetch the trained one from."""
    from torch_fidelity import feature_extractor_inceptionv3 as library

    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(library, "load_state_dict_from_url", lambda *a, **k: {})
        patched.setattr(library.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        net = seeded(lambda: library.FeatureExtractorInceptionV3("test", ["2048"]), 0, "test inception")
    torch.save(net.state_dict(), folder / "inception.pth")
    return weights.inception(str(folder / "inception.pth"))


@pytest.fixture(scope="module")
def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (2 * N, 3, 4, 4)).repeat(8, 2).repeat(8, 3).astype(np.uint8)
    smooth[N:] = 255 - smooth[N:] // 2
    return smooth[:N], smooth[N:]


def test_the_metrics_are_torch_fidelitys_own(file, sets):
    from torch_fidelity import calculate_metrics

    generated, real = sets
    extractor = Inception.read(file)
    one, other = extractor(generated), extractor(real)
    assert one.features.shape == (N, 2048)
    values, missing = compare(one.features[None], other.features[None], 3, None)
    assert not missing
    assert all(np.isfinite(list(values.values())))
    with contextlib.redirect_stderr(io.StringIO()):
        theirs = calculate_metrics(
            input1=_Images(generated),
            input2=_Images(real), feature_extractor_weights_path=file.path, cuda=False, isc=True, fid=True, kid=True,
            kid_subset_size=N, kid_subsets=1, isc_splits=1, verbose=False, cache=False, save_cpu_ram=True,
        )  # fmt: skip
    assert values["kid"] == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4, abs=1e-6)
    assert values["fid"] == pytest.approx(theirs["frechet_inception_distance"], rel=1e-2, abs=1e-3)
    from scipy.special import softmax

    score = inception_score(softmax(one.logits.astype(np.float64), axis=1), splits=1)[0]
    assert score == pytest.approx(theirs["inception_score_mean"], rel=1e-5)


class _Images(torch.utils.data.Dataset):
    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.images[i]


def test_grey_images_are_shown_in_all_three_colours(file, sets):
    extractor, grey = Inception.read(file), sets[0][:3, :1]
    assert np.array_equal(extractor(grey).features, extractor(grey.repeat(3, axis=1)).features)


def test_an_assessment_over_inception_trains_no_classifier(file):
    memory = InMemory()
    generator = FitGan(Split(TrainImages("digits"), 2, 1, 0), PROJECTION, 0)
    spec = AssessSpec(features="inception", images_per_class=2, neighbours=3, leaks=("negative",))
    found = memory.get(Assess(generator, POOL, CLASSIFIER, spec, file))
    assert found.facts["status"] == "ok"
    assert "recognised" not in found.facts
    assert "classifier_is" not in found.facts
    assert 1 <= found.facts["inception_score"] <= 1008
    assert np.isfinite(found.facts["kid"])
    assert found.facts["leaks"]["negative"]["changed"] == 1.0


def test_resnet_calls_images_by_imagenets_names(tmp_path):
    from torchvision.models import resnet50

    torch.save(seeded(resnet50, 0, "test resnet").state_dict(), tmp_path / "resnet.pth")
    images = numpy_rng(0, "test").integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    probabilities, names = resnet_probabilities(images, weights.resnet(str(tmp_path / "resnet.pth")))
    assert probabilities.shape == (3, 1000)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert len(names) == 1000
    assert "Pomeranian" in names


def test_no_file_is_one_line_that_names_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError) as refused:
        weights.inception(None)
    place = tmp_path / "hub" / "checkpoints" / weights.INCEPTION
    assert str(refused.value) == (
        f"assess.weights: needs the file {weights.INCEPTION}, got none at {place}; put it there, say where it is, or "
        "take assess.features classifier"
    )
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    assert weights.inception(None).path == str(place.resolve())
    with pytest.raises(UserError) as refused:
        weights.resnet(str(tmp_path / "none.pth"))
    assert str(refused.value) == (
        f"assess.imagenet: needs the file {weights.RESNET}, got none at {tmp_path / 'none.pth'}; put it there, say "
        "where it is, or leave assess.imagenet out"
    )


class _Harmful:
    def __reduce__(self):
        return Path.touch, (Path("harmed"),)


def test_a_file_that_is_something_else_is_refused_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    torch.save({"conv.weight": _Harmful()}, path)
    with pytest.raises(UserError, match="must be a PyTorch file of weights"):
        Inception.read(weights.inception(str(path)))
    assert not (tmp_path / "harmed").exists()
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="does not hold the weights of torch-fidelity’s InceptionV3: Missing key"):
        Inception.read(weights.inception(str(path)))
    before = weights.inception(str(path))
    path.write_bytes(b"something else")
    with pytest.raises(UserError) as refused:
        Inception.read(before)
    assert str(refused.value) == f"assess.weights: {path} has changed since the study was planned; run the study again"
