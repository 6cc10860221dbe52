import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tiny import CGAN, PROJECTION

from ganaug.specs import (
    DA_TYPES,
    AgreementFilterSpec,
    AugmentationSpec,
    CganSpec,
    ClassifierSpec,
    DiffAugmentSpec,
    DiscriminatorFilterSpec,
    JudgeSpec,
    MemorisationFilterSpec,
    MetropolisHastingsFilterSpec,
    MixingSpec,
    NeighboursFilterSpec,
    PoolSpec,
    ProjectionSpec,
    RejectionFilterSpec,
    ViewsSpec,
    asks_judge,
    chain_of,
    parse_da,
)


@given(st.lists(st.sampled_from([t for t in DA_TYPES if t != "shift"]), unique=True, min_size=1))
def test_augmentations_are_read_in_their_order(types):
    assert parse_da("+".join(types)) == tuple(types) == parse_da(" + ".join(types))


def test_none_is_no_augmentation():
    assert parse_da("none") == ()


@pytest.mark.parametrize("text", ["hflp", "", "hflip+", "none+hflip", "HFLIP"])
def test_an_unknown_augmentation_lists_the_known_ones(text):
    with pytest.raises(
        ValueError, match=r"^unknown augmentation '.*'; known: none, rotation, .*, or several joined by \+$"
    ):
        parse_da(text)


def test_a_repeated_augmentation_is_refused():
    with pytest.raises(ValueError, match=r"^an augmentation is named twice in 'hflip\+zoom\+hflip'$"):
        parse_da("hflip+zoom+hflip")


@pytest.mark.parametrize(
    "make",
    [
        lambda: CganSpec(name="cgan", stepz=3),
        lambda: CganSpec(name="cgan", steps=0),
        lambda: CganSpec(name="cgan", batch=1),
        lambda: CganSpec(name="cgan", loss="wasserstein"),
        lambda: ProjectionSpec(name="projection", learning_rate=0),
        lambda: ProjectionSpec(name="projection", learning_rate=float("nan")),
        lambda: ProjectionSpec(name="projection", ema=1),
        lambda: DiffAugmentSpec(cutout=1),
        lambda: AugmentationSpec(rotation=float("inf")),
        lambda: AugmentationSpec(zoom=1),
        lambda: ViewsSpec(augmentation={"real_copies": 2}),  # there is no training set to copy into
        lambda: ClassifierSpec(steps=0),
        lambda: PoolSpec(chunk=0),
        lambda: DiscriminatorFilterSpec(threshold=1.1),
        lambda: DiscriminatorFilterSpec(threshold=-0.1),
        lambda: NeighboursFilterSpec(measure="precision"),
        lambda: NeighboursFilterSpec(k=0),
        lambda: RejectionFilterSpec(rank=True),
        lambda: RejectionFilterSpec(burn_in=0),
        lambda: RejectionFilterSpec(gamma=1.5),
        lambda: MetropolisHastingsFilterSpec(chain=0),
        lambda: JudgeSpec(folds=1),
        lambda: JudgeSpec(da="hflp"),
        lambda: MixingSpec(weight=0),
        lambda: MixingSpec(ratio=1),
        lambda: MixingSpec(soft_labels=2),
    ],
)
def test_nonsense_is_refused_where_it_is_made(make):
    with pytest.raises(ValidationError):
        make()


def test_a_stream_is_made_of_whole_chunks():
    assert PoolSpec(chunk=10, max_per_class=40).chunks == 4
    with pytest.raises(ValidationError, match=r"max_per_class must be a multiple of chunk \(30\), got 40"):
        PoolSpec(chunk=30, max_per_class=40)


def test_specs_are_frozen():
    for spec in (CGAN, PROJECTION):
        with pytest.raises(ValidationError):
            spec.steps = 7


def test_only_one_of_the_filters_may_rank():
    ranking = AgreementFilterSpec(rank=True, also=RejectionFilterSpec(also=MemorisationFilterSpec()))
    assert [f.name for f in chain_of(ranking)] == ["agreement", "rejection", "memorisation"]
    with pytest.raises(
        ValidationError, match=r"only one of the filters joined by also may rank; give the others a threshold"
    ):
        DiscriminatorFilterSpec(rank=True, also=MemorisationFilterSpec(also=AgreementFilterSpec(rank=True)))


def test_a_judge_is_asked_by_agreement_and_neighbours_wherever_they_stand():
    assert asks_judge(AgreementFilterSpec())
    assert asks_judge(RejectionFilterSpec(also=NeighboursFilterSpec()))
    assert not asks_judge(RejectionFilterSpec(also=MemorisationFilterSpec()))


def test_a_setting_younger_than_stored_results_is_no_part_of_a_key_until_it_is_used():
    before = {"rotation": 15.0, "shift": 0.1, "zoom": 0.1, "shear": 10.0, "contrast": 0.4}
    assert AugmentationSpec().identity() == before  # as keys were made before there were fills and conventions
    assert AugmentationSpec(fill="wrap").identity() == before | {"fill": "wrap"}
    assert AugmentationSpec(zoom=[0.8, 1.2]).identity() == before | {"zoom": [0.8, 1.2]}
    assert set(ClassifierSpec().identity()) == set(ClassifierSpec.model_fields) - set(ClassifierSpec.later)
    assert ClassifierSpec(curve=3).identity()["curve"] == 3


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"zoom": 1.0}, "must be a number in [0, 1) or [low, high] with 0 < low <= high, got 1.0"),
        ({"zoom": [0, 1]}, "must be a number in [0, 1) or [low, high] with 0 < low <= high, got [0, 1]"),
        ({"brightness": 0.5}, "must be [low, high] with 0 <= low <= high, got 0.5"),
        ({"brightness": [1.5, 0.5]}, "must be [low, high] with 0 <= low <= high, got [1.5, 0.5]"),
        ({"width_shift": "far"}, "must be a share below 1, a number of pixels, or a list of either, got 'far'"),
        ({"width_shift": True}, "must be a share below 1, a number of pixels, or a list of either, got True"),
        ({"width_shift": -2}, "must be at least 0, for the sign is drawn, got -2"),
        ({"height_shift": []}, "must be a list of at least one number, got []"),
        ({"height_shift": [0.5, 2]}, "must be a list of shares below 1 or of pixels, not of both, got [0.5, 2]"),
        (
            {"height_shift": 1},
            "whole pixels are drawn from -(p - 1) to p - 1, so 1 moves nothing; 2 is one pixel, got 1",
        ),
    ],
)
def test_a_strength_out_of_reach_is_one_clear_line(setting, told):
    with pytest.raises(ValueError, match=r"must|whole") as caught:
        AugmentationSpec(**setting)
    assert str(caught.value.errors()[0]["ctx"]["error"]) == told
