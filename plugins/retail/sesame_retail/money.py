"""Amounts of money as whole ten-thousandths, and currencies into the one that a kind is counted in.

Sums of whole numbers are exact whatever their length, and a fifth of the time of sums of `Decimal`.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from attrs import field, frozen

from sesame_retail import kinds
from sesame_sdk import Misconfigured

#: Parts of one unit of money that an amount is counted in.
SCALE = 10_000
#: What amounts are sent in: the unit of the kinds.
UNIT = kinds.SPEND.unit
_is_code = re.compile(r"[A-Z]{3}").fullmatch


def as_decimal(parts: int) -> Decimal:
    """Ten-thousandths as units of money, with two decimals where that is exact: 12.50."""
    return Decimal(parts // 100).scaleb(-2) if parts % 100 == 0 else Decimal(parts) / SCALE


def parts_of(amount: Decimal) -> int:
    """Units of money as ten-thousandths; half of one goes to the even side."""
    return int((amount * SCALE).to_integral_value(ROUND_HALF_EVEN))


@frozen
class Currencies:
    """Which currency a feed is in, and what others are worth.

    Args:
        usual: the currency of a line that does not say.
        rates: what one unit of another currency is in `UNIT`. One that is not here is kept back:
            amounts of two currencies are never added up.

    Raises:
        Misconfigured: a code is not three capitals, a rate not above zero, or the usual one has no rate.
    """

    usual: str = UNIT
    rates: Mapping[str, Decimal] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for code, rate in self.rates.items():
            if not _is_code(code) or not rate.is_finite() or not 0 < rate < SCALE:
                raise Misconfigured(
                    "needs a currency's code and a rate above 0", field="rates", mend='write: EUR = "0.86"'
                )
        if not _is_code(self.usual) or self.rate(self.usual) is None:
            raise Misconfigured(
                f"is not {UNIT}, which amounts are counted in, and has no rate",
                field="currency",
                mend=f"add it to [rates]: what one unit of it is in {UNIT}",
            )

    def rate(self, code: str) -> Decimal | None:
        """What one unit is in `UNIT`; None where nobody said."""
        code = code.strip().upper() or self.usual
        return Decimal(1) if code == UNIT else self.rates.get(code)

    def convert(self, parts: int, code: str) -> int | None:
        """An amount in `UNIT`; None where there is no rate."""
        rate = self.rate(code)
        if rate is None:
            return None
        return parts if rate == 1 else parts_of(as_decimal(parts) * rate)
