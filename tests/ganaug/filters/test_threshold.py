import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ganaug.filters.threshold import accept

UNIT = st.floats(0, 1, width=32)
PROBABILITIES = st.lists(UNIT, max_size=30).map(lambda p: np.array(p, np.float32))


@given(PROBABILITIES)
def test_threshold_zero_passes_every_image(p):
    assert accept(p, 0.0).all()


@given(PROBABILITIES, UNIT, UNIT)
def test_a_stricter_threshold_passes_a_subset(p, a, b):
    low, high = sorted((a, b))
    assert np.all(accept(p, low) | ~accept(p, high))


@given(UNIT)
def test_the_threshold_itself_passes(threshold):
    assert accept(np.array([threshold], np.float32), threshold).all()


def test_a_decimal_threshold_means_the_same_in_both_precisions():
    assert accept(np.float32([0.7, 0.9, 0.3]), 0.7).tolist() == [True, True, False]
