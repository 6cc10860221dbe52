"""What `ganaug plan --price` takes, and what it makes of it."""

import pytest

from ganaug.errors import UserError
from sweeps.price import Hours, parse


def test_prices_are_read_with_and_without_a_currency() -> None:
    (plain,) = parse(["2.50/gpu-hour"])
    assert (plain.amount, plain.currency, plain.unit) == (2.5, "", "gpu-hour")
    gpu, cpu = parse(["2.5 EUR/gpu-hour", "0.04EUR/cpu-hour"])
    assert [p.words for p in (gpu, cpu)] == ["2.5 EUR/gpu-hour", "0.04 EUR/cpu-hour"]
    assert parse(["1$/machine-hour"])[0].currency == "$"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (
            ["2.50"],
            "--price 2.50: must be an amount for a unit, e.g. 2.50/gpu-hour or 2.50 EUR/cpu-hour or 2.50 "
            "EUR/machine-hour",
        ),
        (
            ["-1/gpu-hour"],
            "--price -1/gpu-hour: must be an amount for a unit, e.g. 2.50/gpu-hour or 2.50 EUR/cpu-hour or 2.50 "
            "EUR/machine-hour",
        ),
        (
            ["3/gpu-day"],
            "--price 3/gpu-day: must be an amount for a unit, e.g. 2.50/gpu-hour or 2.50 EUR/cpu-hour or 2.50 "
            "EUR/machine-hour",
        ),
        (
            ["1/gpu-hour", "2/gpu-hour"],
            "--price 2/gpu-hour: gpu-hour has a price already; state one for each unit",
        ),
        (
            ["1 EUR/gpu-hour", "2 USD/cpu-hour"],
            "--price 2 USD/cpu-hour: the currencies differ, so there is no sum; state all prices in one",
        ),
    ],
)
def test_a_mistaken_price_is_told(texts: list[str], told: str) -> None:
    with pytest.raises(UserError) as error:
        parse(texts)
    assert str(error.value) == told


def test_a_cost_is_the_sum_of_its_parts() -> None:
    hours = Hours(gpu=10, cpu=40, machine=12)
    assert hours.cost(parse(["2.5 EUR/gpu-hour"])) == "about 25.00 EUR (10 h at 2.5 EUR/gpu-hour)"
    told = hours.cost(parse(["2/gpu-hour", "0.1/cpu-hour", "1/machine-hour"]))
    assert told == "about 36.00 (10 h at 2/gpu-hour + 40 h at 0.1/cpu-hour + 12 h at 1/machine-hour)"


def test_hours_that_no_trial_takes_have_no_price() -> None:
    with pytest.raises(UserError) as error:
        Hours(gpu=0, cpu=3, machine=2).cost(parse(["2/gpu-hour"]))
    assert str(error.value) == (
        "--price: no trial takes a GPU on this machine, so GPU-hours cannot be told; plan on a machine that has one, "
        "or state a price for cpu-hour or machine-hour"
    )
