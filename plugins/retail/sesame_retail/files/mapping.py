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

_MAX_BYTES = 1 << 16


class RecordType(StrEnum):
    """What a line records."""

    ORDER = "order"
    RETURN = "return"
    CANCEL = "cancel"
    CORRECTION = "correction"
    EXCHANGE = "exchange"


#: What shops call them, in lower case.
RECORD_TYPE_WORDS = {
    "order": RecordType.ORDER,
    "sale": RecordType.ORDER,
    "purchase": RecordType.ORDER,
    "return": RecordType.RETURN,
    "refund": RecordType.RETURN,
    "cancel": RecordType.CANCEL,
    "cancelled": RecordType.CANCEL,
    "canceled": RecordType.CANCEL,
    "cancellation": RecordType.CANCEL,
    "correction": RecordType.CORRECTION,
    "adjustment": RecordType.CORRECTION,
    "exchange": RecordType.EXCHANGE,
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
        record_type: what the line records; see `RecordType`.
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
    record_type: str = ""
    order: str = ""
    test: str = ""
    staff: str = ""

    @property
    def amount_columns(self) -> tuple[str, ...]:
        """The columns that say what a line comes to."""
        return (self.amount,) if self.amount else (self.quantity, self.price)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """All columns that the file must have, the usual five first; each once."""
        number, date, customer, *others = self.key_columns.values()
        return tuple(dict.fromkeys((number, date, customer, *self.amount_columns, *others)))

    @property
    def key_columns(self) -> dict[str, str]:
        """The other columns that the file has, by what they mean; the three that every file has first."""
        return {
            name: called
            for name, called in asdict(self).items()
            if called and name not in ("amount", "quantity", "price")
        }


@frozen
class FileFormat:
    """How the fields are written.

    Raises:
        ConfigurationError: one of them cannot be.
    """

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal_comma: bool = False
    date_format: str = ""
    time_zone: str = "UTC"
    record_types: Mapping[str, RecordType] = field(factory=lambda: RECORD_TYPE_WORDS)
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
class FileMapping:
    """A whole mapping: the columns, and how they are written."""

    columns: ColumnMapping = field(factory=ColumnMapping)
    cancelled_prefix: str = "C"
    file_format: FileFormat = field(factory=FileFormat)


def find_mapping(path: Path) -> FileMapping | None:
    """The mapping that lies beside a file: ``orders.csv.toml`` for ``orders.csv``; None if none does."""
    found = path.with_name(f"{path.name}.toml")
    return load_mapping(found) if found.is_file() else None


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            data = tomllib.loads(file.read(_MAX_BYTES).decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", field=path.name) from error
    try:
        return parse_mapping(data)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, field=f"{path.name}: {error.field}", hint=error.hint
        ) from error


def parse_mapping(data: Mapping[str, Any]) -> FileMapping:
    """A mapping from what TOML says.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    rest = dict(data)
    tables = {name: rest.pop(name, {}) for name in ("columns", "record_types", "rates")}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError("must be a table", field=name, hint=f"write [{name}]")
    prefix, usual = rest.pop("cancelled_prefix", "C"), rest.pop("currency", Currencies().default)
    _check(rest, fields_dict(FileFormat), "mapping")
    _check(tables["columns"], fields_dict(ColumnMapping), "columns")
    if not isinstance(prefix, str) or not isinstance(usual, str):
        raise ConfigurationError("must be text", field="cancelled_prefix, currency")
    columns = ColumnMapping(**tables["columns"])
    if tables["columns"].get("amount"):
        columns = evolve(columns, quantity="", price="")
    currencies = Currencies(usual, _parse_rates(tables["rates"]))
    return FileMapping(
        columns,
        prefix,
        FileFormat(**rest, record_types=_parse_record_types(tables["record_types"]), currencies=currencies),
    )


def _check(found: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for name, value in found.items():
        if name not in known or name in ("record_types", "currencies"):
            raise ConfigurationError(
                f"is not known here; there are: {', '.join(known)}", field=f"{where} {name!r}"
            )
        wanted = bool if name == "decimal_comma" else str
        if not isinstance(value, wanted):
            raise ConfigurationError(f"must be {'true or false' if wanted is bool else 'text'}", field=name)


def _parse_record_types(table: Mapping[str, Any]) -> dict[str, RecordType]:
    """What the shop calls them, beside what most do."""
    found = dict(RECORD_TYPE_WORDS)
    for name, words in table.items():
        if name not in set(RecordType) or not isinstance(words, list):
            raise ConfigurationError(
                f"must be one of {', '.join(RecordType)}",
                field=f"record_types {name!r}",
                hint='write: return = ["RMA"]',
            )
        found |= {str(word).strip().lower(): RecordType(name) for word in words}
    return found


def _parse_rates(table: Mapping[str, Any]) -> dict[str, Decimal]:
    try:
        return {code: Decimal(str(rate)) for code, rate in table.items()}
    except InvalidOperation as error:
        raise ConfigurationError("must be numbers", field="rates", hint='write: EUR = "0.86"') from error
