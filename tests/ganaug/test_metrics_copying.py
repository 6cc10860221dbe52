import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu, norm

from ganaug.metrics import copying
from ganaug.metrics.copying import data_copying, nearest, nearest_ratio


def pictures(n, seed=0, top=255):
    return np.random.default_rng(seed).integers(0, top + 1, (n, 3, 4, 4), np.uint8)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 255]), st.sampled_from([1, 100, 10**6]))
def test_it_is_the_nearest_to_the_bit_and_the_first_of_equals(n, m, top, chunk):
    images, training = pictures(n, 0, top), pictures(m, 1, top)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "CHUNK_VALUES", chunk)
        distance, place = nearest(images, training)
    between = cdist(images.reshape(n, -1), training.reshape(m, -1), "sqeuclidean")
    assert np.array_equal(distance, np.sqrt(between.min(1)))
    assert np.array_equal(place, between.argmin(1))


def test_copies_lie_at_no_distance_and_are_named():
    training = pictures(30)
    distance, place = nearest(training[[7, 3]], training)
    assert distance.tolist() == [0, 0]
    assert place.tolist() == [7, 3]


def test_the_ratio_says_copies_and_fresh_images():
    training, fresh, other = pictures(30), pictures(20, 1), pictures(40, 2)
    on = [nearest(x, training)[0] for x in (training, fresh, other)]
    assert nearest_ratio(on[0], on[1]) == 0
    assert nearest_ratio(on[2], on[1]) == pytest.approx(1, abs=0.1)
    assert nearest_ratio(on[2], on[0]) is None  # validation images that are training images tell nothing


def test_one_class_is_the_mann_whitney_test():
    rng = np.random.default_rng(0)
    generated, validation = rng.normal(size=30), rng.normal(0.5, size=20)
    z = data_copying(generated, np.zeros(30), validation, np.zeros(20))
    p = mannwhitneyu(generated, validation, method="asymptotic", use_continuity=False).pvalue
    assert 2 * norm.sf(abs(z)) == pytest.approx(p)
    assert z < 0  # generated ones are nearer


def test_classes_are_cells_weighted_by_validation_images():
    rng = np.random.default_rng(0)
    generated, validation = rng.normal(size=30), rng.normal(size=20)
    label_g, label_v = np.repeat([0, 1], 15), np.repeat([0, 1], [5, 15])
    both = data_copying(generated, label_g, validation, label_v)
    alone = [
        data_copying(generated[label_g == c], label_g[label_g == c], validation[label_v == c], label_v[label_v == c])
        for c in (0, 1)
    ]
    assert both == pytest.approx(0.25 * alone[0] + 0.75 * alone[1])


def test_equal_distances_are_no_evidence():
    assert data_copying(np.zeros(9), np.zeros(9), np.zeros(5), np.zeros(5)) == 0


def test_no_training_image_is_refused():
    with pytest.raises(ValueError, match=r"^there must be at least one training image, got 0$"):
        nearest(pictures(3), pictures(0))
