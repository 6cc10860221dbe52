import numpy as np
import pytest
from tiny import GANS, same
from tiny import images as split_images

from ganaug.artifact import Work
from ganaug.gans.fit import fit_gan, networks
from ganaug.gans.judge import scores
from ganaug.pool import draw_chunk


@pytest.fixture(scope="module", params=list(GANS))
def trained(request):
    split, spec = split_images(), GANS[request.param]
    return spec, fit_gan(spec, split, split, 0, Work(lambda stage: split))


def test_chunks_do_not_depend_on_order_nor_on_each_other(trained):
    spec, fit = trained
    forwards = [draw_chunk(spec, fit, 0, i, 5) for i in range(3)]
    backwards = [draw_chunk(spec, fit, 0, i, 5) for i in (2, 1, 0)][::-1]
    assert all(same(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not np.array_equal(forwards[0].arrays["images"], forwards[1].arrays["images"])
    assert not np.array_equal(forwards[0].arrays["images"], draw_chunk(spec, fit, 1, 0, 5).arrays["images"])


def test_a_chunk_has_images_and_scores_of_every_class(trained):
    spec, fit = trained
    chunk = draw_chunk(spec, fit, 0, 0, 5).arrays
    assert chunk["images"].shape == (10, 5, 1, 8, 8)
    assert chunk["images"].dtype == np.uint8
    assert chunk["scores"].shape == (10, 5)
    assert chunk["scores"].dtype == np.float32
    # scored as it will be used: rounded, and under its own label
    _, discriminator = networks(spec, fit)
    assert np.array_equal(chunk["scores"][3], scores(discriminator, chunk["images"][3], np.full(5, 3)))
    under_another = scores(discriminator, chunk["images"][3], np.full(5, 4))
    assert np.allclose(chunk["scores"][3], under_another) == (spec.name == "infogan")  # it never sees a label
