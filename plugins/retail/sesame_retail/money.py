"""Amounts of money as whole millionths, and the currency in which each is sent.

Sums of whole numbers are exact whatever their length, and a fifth of the time of sums of `Decimal`.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from attrs import field, frozen

from sesame_retail import kinds
from sesame_sdk import ConfigurationError

#: Parts of one unit of money that an amount is counted in.
SCALE = 1_000_000
UNIT = kinds.UNIT
#: How files write the currencies of `kinds.SPENT` beside their codes, the longest first.
SIGNS = {
    "GBP": ("GBP", "£"),
    "EUR": ("EUR", "€"),
    "USD": ("US $", "US$", "USD", "$"),
    "CNY": ("CNY", "RMB", "CN¥", "¥", "元"),
}
_is_code = re.compile(r"[A-Z]{3}").fullmatch


def to_decimal(parts: int) -> Decimal:
    """Millionths as units of money, with two decimals where that is exact: 12.50."""
    return Decimal(parts // 10_000).scaleb(-2) if parts % 10_000 == 0 else Decimal(parts) / SCALE


def to_parts(amount: Decimal) -> int:
    """Units of money as millionths; half of one is rounded to even."""
    return int((amount * SCALE).to_integral_value(ROUND_HALF_EVEN))


def in_currency(reason: str, code: str) -> str:
    """A reason with its currency, so that amounts of different currencies are not added up."""
    return reason if code == UNIT else f"{reason}, in {code}"


@frozen
class Currencies:
    """The default currency of a file, and the currency in which each amount is sent.

    A currency of `kinds.SPENT` is sent as it is, under its own kind. Another is converted, if the shop gives
    a rate: the value of one unit in `UNIT`. Otherwise it is skipped. Amounts of two currencies are never
    added up. Checks codes and rates, and that the default currency can be sent.
    """

    default: str = UNIT
    rates: Mapping[str, Decimal] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for code, rate in self.rates.items():
            if not _is_code(code) or not rate.is_finite() or not 0 < rate < SCALE:
                raise ConfigurationError(
                    "needs a currency's code and a rate above 0", field="rates", hint='write: EUR = "0.86"'
                )
        if not _is_code(self.default) or self.sent_currency(self.default) is None:
            raise ConfigurationError(
                f"has no kind (there are: {', '.join(kinds.SPENT)}) and no rate",
                field="currency",
                hint=f"add it to [rates]: the value of one unit in {UNIT}",
            )

    def sent_currency(self, code: str) -> str | None:
        """The currency in which amounts in this one are sent; None if they are skipped."""
        code = self._code(code)
        return UNIT if code == UNIT or code in self.rates else code if code in kinds.SPENT else None

    def convert(self, parts: int, code: str) -> int | None:
        """An amount in the currency in which it is sent; None if it is skipped."""
        if self.sent_currency(code) is None:
            return None
        rate = self.rates.get(self._code(code))
        return parts if rate is None else to_parts(to_decimal(parts) * rate)

    @staticmethod
    def code_of(text: str) -> str:
        """The code of a currency that is written as a code or a sign."""
        text = text.strip()
        return next((code for code, signs in SIGNS.items() if text in signs), text.upper())

    def _code(self, code: str) -> str:
        return code.strip().upper() or self.default
