"""The mapping of a shop's file: TOML, written by hand or proposed by ``sesame retail map``.

Every key is optional; the defaults are those of the UCI data set "Online Retail".
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


#: The words that shops use for them, in lower case.
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
    """The names of the columns; by default those of the UCI data set "Online Retail".

    Attributes:
        number: of the invoice.
        date: of the order.
        customer: the shop's number for the customer.
        quantity: a whole number.
        price: of one item.
        amount: of the whole line, in place of quantity and price.
        currency: its code, if lines differ.
        record_type: what the line records; see `RecordType`.
        order: the order that a return, a cancellation or a correction belongs to, if not `number`.
        test: whether it is a test order.
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
        """The columns of which the amount of a line is computed."""
        return (self.amount,) if self.amount else (self.quantity, self.price)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """All columns that the file must have, each once."""
        number, date, customer, *others = self.key_columns.values()
        return tuple(dict.fromkeys((number, date, customer, *self.amount_columns, *others)))

    @property
    def key_columns(self) -> dict[str, str]:
        """The other columns, by their meaning; the three that every file has come first."""
        return {
            name: column
            for name, column in asdict(self).items()
            if column and name not in ("amount", "quantity", "price")
        }


@frozen
class FileFormat:
    """How the file is written. Checks the encoding, the time zone and the delimiter."""

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
            raise ConfigurationError("is not an encoding that Python knows", field="encoding") from error
        _ = self.zone

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates without one."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationError(
                "is not a known time zone", field="time_zone", hint="write it like Europe/Berlin"
            ) from error


@frozen
class FileMapping:
    """The columns of a file and how it is written."""

    columns: ColumnMapping = field(factory=ColumnMapping)
    cancelled_prefix: str = "C"
    file_format: FileFormat = field(factory=FileFormat)

    def is_return(self, number: str) -> bool:
        """Whether the number of an invoice says that it is a return."""
        return bool(self.cancelled_prefix) and number.startswith(self.cancelled_prefix)


def find_mapping(path: Path) -> FileMapping | None:
    """The mapping beside a file, ``orders.csv.toml`` for ``orders.csv``; None if there is none."""
    beside = path.with_name(f"{path.name}.toml")
    return load_mapping(beside) if beside.is_file() else None


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping; a `ConfigurationError` names the key and the fault."""
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
    """A mapping from decoded TOML; a `ConfigurationError` names the key and the fault."""
    rest = dict(data)
    tables = {name: rest.pop(name, {}) for name in ("columns", "record_types", "rates")}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError("must be a table", field=name, hint=f"write [{name}]")
    prefix, currency = rest.pop("cancelled_prefix", "C"), rest.pop("currency", Currencies().default)
    _check(rest, fields_dict(FileFormat), "mapping")
    _check(tables["columns"], fields_dict(ColumnMapping), "columns")
    if not isinstance(prefix, str) or not isinstance(currency, str):
        raise ConfigurationError("must be text", field="cancelled_prefix, currency")
    columns = ColumnMapping(**tables["columns"])
    if tables["columns"].get("amount"):
        columns = evolve(columns, quantity="", price="")
    currencies = Currencies(currency, _parse_rates(tables["rates"]))
    return FileMapping(
        columns,
        prefix,
        FileFormat(**rest, record_types=_parse_record_types(tables["record_types"]), currencies=currencies),
    )


def _check(values: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for name, value in values.items():
        if name not in known or name in ("record_types", "currencies"):
            raise ConfigurationError(
                f"is an unknown key; available: {', '.join(known)}", field=f"{where} {name!r}"
            )
        wanted = bool if name == "decimal_comma" else str
        if not isinstance(value, wanted):
            raise ConfigurationError(f"must be {'true or false' if wanted is bool else 'text'}", field=name)


def _parse_record_types(table: Mapping[str, Any]) -> dict[str, RecordType]:
    """The shop's own words, in addition to the common ones."""
    record_types = dict(RECORD_TYPE_WORDS)
    for name, words in table.items():
        if name not in set(RecordType) or not isinstance(words, list):
            raise ConfigurationError(
                f"must be one of {', '.join(RecordType)}",
                field=f"record_types {name!r}",
                hint='write: return = ["RMA"]',
            )
        record_types |= {str(word).strip().lower(): RecordType(name) for word in words}
    return record_types


def _parse_rates(table: Mapping[str, Any]) -> dict[str, Decimal]:
    try:
        return {code: Decimal(str(rate)) for code, rate in table.items()}
    except InvalidOperation as error:
        raise ConfigurationError("must be numbers", field="rates", hint='write: EUR = "0.86"') from error
