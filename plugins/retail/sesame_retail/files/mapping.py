"""How a shop's file is to be read: a TOML file, written by hand or proposed by ``sesame retail map``.

Everything in it may be left out; what is left is the form of the UCI data set "Online Retail".
"""

import codecs
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import asdict, evolve, field, fields_dict, frozen

from sesame_retail.money import Currencies
from sesame_sdk import ConfigurationError

_LARGEST = 1 << 16


class Deed(StrEnum):
    """What a line records."""

    ORDER = "order"
    RETURN = "return"
    CANCEL = "cancel"
    CORRECTION = "correction"
    EXCHANGE = "exchange"


#: What shops call them, in lower case.
WORDS = {
    "order": Deed.ORDER,
    "sale": Deed.ORDER,
    "purchase": Deed.ORDER,
    "return": Deed.RETURN,
    "refund": Deed.RETURN,
    "cancel": Deed.CANCEL,
    "cancelled": Deed.CANCEL,
    "canceled": Deed.CANCEL,
    "cancellation": Deed.CANCEL,
    "correction": Deed.CORRECTION,
    "adjustment": Deed.CORRECTION,
    "exchange": Deed.EXCHANGE,
}


@frozen
class ColumnMapping:
    """What the columns are called; by default as in the UCI data set "Online Retail".

    Attributes:
        number: of the invoice, or of whatever the line belongs to.
        date: when.
        customer: the shop's number for the customer.
        quantity: how many; whole.
        price: of one.
        amount: of the whole line, in place of quantity and price.
        currency: its code, where not all is in one.
        deed: what the line records; see `Deed`.
        order: the order that a return, a cancellation or a correction belongs to, if not `number`.
        test: whether it is only a trial of the shop's own.
        staff: whether the customer works for the shop.
    """

    number: str = "InvoiceNo"
    date: str = "InvoiceDate"
    customer: str = "CustomerID"
    quantity: str = "Quantity"
    price: str = "UnitPrice"
    amount: str = ""
    currency: str = ""
    deed: str = ""
    order: str = ""
    test: str = ""
    staff: str = ""

    @property
    def worth(self) -> tuple[str, ...]:
        """The columns that say what a line comes to."""
        return (self.amount,) if self.amount else (self.quantity, self.price)

    @property
    def wanted(self) -> tuple[str, ...]:
        """All columns that the file must have, the usual five first; each once."""
        number, date, customer, *others = self.named.values()
        return tuple(dict.fromkeys((number, date, customer, *self.worth, *others)))

    @property
    def named(self) -> dict[str, str]:
        """The other columns that the file has, by what they mean; the three that every file has first."""
        return {
            name: called
            for name, called in asdict(self).items()
            if called and name not in ("amount", "quantity", "price")
        }


@frozen
class Form:
    """How the fields are written.

    Raises:
        ConfigurationError: one of them cannot be.
    """

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal_comma: bool = False
    date_format: str = ""
    time_zone: str = "UTC"
    deeds: Mapping[str, Deed] = field(factory=lambda: WORDS)
    currencies: Currencies = field(factory=Currencies)

    def __attrs_post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ConfigurationError(
                "must be one character", field="delimiter", hint='write "," or ";" or "\\t"'
            )
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise ConfigurationError("is none that Python knows", field="encoding") from error
        _ = self.zone

    @property
    def zone(self) -> ZoneInfo:
        """Where the shop's clock stands."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationError("is not known", field="time_zone", hint="write Europe/Berlin") from error


@frozen
class MappingMode:
    """A whole mapping: the columns, and how they are written."""

    columns: ColumnMapping = field(factory=ColumnMapping)
    cancelled_prefix: str = "C"
    form: Form = field(factory=Form)


def beside(path: Path) -> MappingMode | None:
    """The mapping that lies beside a file: ``orders.csv.toml`` for ``orders.csv``; None if none does."""
    found = path.with_name(f"{path.name}.toml")
    return load(found) if found.is_file() else None


def load(path: Path) -> MappingMode:
    """Read a mapping.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            data = tomllib.loads(file.read(_LARGEST).decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", field=path.name) from error
    try:
        return read(data)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, field=f"{path.name}: {error.field}", hint=error.hint
        ) from error


def read(data: Mapping[str, Any]) -> MappingMode:
    """A mapping from what TOML says.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    rest = dict(data)
    tables = {name: rest.pop(name, {}) for name in ("columns", "deeds", "rates")}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError("must be a table", field=name, hint=f"write [{name}]")
    prefix, usual = rest.pop("cancelled_prefix", "C"), rest.pop("currency", Currencies().usual)
    _check(rest, fields_dict(Form), "mapping")
    _check(tables["columns"], fields_dict(ColumnMapping), "columns")
    if not isinstance(prefix, str) or not isinstance(usual, str):
        raise ConfigurationError("must be text", field="cancelled_prefix, currency")
    columns = ColumnMapping(**tables["columns"])
    if tables["columns"].get("amount"):
        columns = evolve(columns, quantity="", price="")
    currencies = Currencies(usual, _rates(tables["rates"]))
    return MappingMode(columns, prefix, Form(**rest, deeds=_deeds(tables["deeds"]), currencies=currencies))


def _check(found: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for name, value in found.items():
        if name not in known or name in ("deeds", "currencies"):
            raise ConfigurationError(
                f"is not known here; there are: {', '.join(known)}", field=f"{where} {name!r}"
            )
        wanted = bool if name == "decimal_comma" else str
        if not isinstance(value, wanted):
            raise ConfigurationError(f"must be {'true or false' if wanted is bool else 'text'}", field=name)


def _deeds(table: Mapping[str, Any]) -> dict[str, Deed]:
    """What the shop calls them, beside what most do."""
    found = dict(WORDS)
    for name, words in table.items():
        if name not in set(Deed) or not isinstance(words, list):
            raise ConfigurationError(
                f"must be one of {', '.join(Deed)}", field=f"deeds {name!r}", hint='write: return = ["RMA"]'
            )
        found |= {str(word).strip().lower(): Deed(name) for word in words}
    return found


def _rates(table: Mapping[str, Any]) -> dict[str, Decimal]:
    try:
        return {code: Decimal(str(rate)) for code, rate in table.items()}
    except InvalidOperation as error:
        raise ConfigurationError("must be numbers", field="rates", hint='write: EUR = "0.86"') from error
