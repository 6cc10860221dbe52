"""What hours cost: `2.50/gpu-hour`, `0.04 EUR/cpu-hour`, `1.20/machine-hour`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from ganaug.errors import UserError

Unit = Literal["gpu-hour", "cpu-hour", "machine-hour"]
UNITS: tuple[Unit, ...] = get_args(Unit)
_PRICE = re.compile(r"(?P<amount>\d+(\.\d+)?) ?(?P<currency>[^\d\s/.,-][^\d\s/]{0,7})?/(?P<unit>[a-z-]+)")


@dataclass(frozen=True)
class Price:
    """amount: of the currency, for one unit. currency: as the user wrote it; may be empty."""

    amount: float
    currency: str
    unit: Unit

    @property
    def words(self) -> str:
        return f"{self.amount:g}{self.currency and ' ' + self.currency}/{self.unit}"


def parse(texts: Iterable[str]) -> list[Price]:
    """The prices that `--price` states; UserError for what is none, for a unit twice and for two currencies."""
    found: list[Price] = []
    for text in texts:
        said = _PRICE.fullmatch(text.strip())
        if said is None or said["unit"] not in UNITS:
            raise UserError(f"--price {text}: must be an amount for a unit, e.g. 2.50/{' or 2.50 EUR/'.join(UNITS)}")
        price = Price(float(said["amount"]), said["currency"] or "", cast(Unit, said["unit"]))
        if any(other.unit == price.unit for other in found):
            raise UserError(f"--price {text}: {price.unit} has a price already; state one for each unit")
        if any(other.currency != price.currency for other in found):
            raise UserError(f"--price {text}: the currencies differ, so there is no sum; state all prices in one")
        found.append(price)
    return found


@dataclass(frozen=True)
class Hours:
    """What a study takes: of GPUs and of CPUs, by what its trials hold of them, and of the machine as a whole."""

    gpu: float
    cpu: float
    machine: float

    def of(self, unit: Unit) -> float:
        return {"gpu-hour": self.gpu, "cpu-hour": self.cpu, "machine-hour": self.machine}[unit]

    def cost(self, prices: list[Price]) -> str:
        """One line: the sum, and what it is made of. UserError where GPUs have a price and no trial takes one."""
        if not self.gpu and self.cpu and any(price.unit == "gpu-hour" for price in prices):
            raise UserError(
                "--price: no trial takes a GPU on this machine, so GPU-hours cannot be told; plan on a machine that "
                "has one, or state a price for cpu-hour or machine-hour"
            )
        total = sum(price.amount * self.of(price.unit) for price in prices)
        currency = prices[0].currency and " " + prices[0].currency
        parts = " + ".join(f"{self.of(price.unit):.3g} h at {price.words}" for price in prices)
        return f"about {total:.2f}{currency} ({parts})"
