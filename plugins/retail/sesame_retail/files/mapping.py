"""The mapping of a shop's file: TOML, written by hand or proposed by ``sesame retail map``.

Every key is optional; the defaults are those of the UCI data set "Online Retail".
"""

import codecs
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import asdict, field, fields_dict, frozen

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


class StateMeaning(StrEnum):
    """What the state of an order means for its customer."""

    COUNTS = "counts"
    NOT_PAID = "not_paid"
    CANCELLED = "cancelled"
    TEST = "test"
    IGNORED = "ignored"
    RETURNED = "returned"
    PARTLY_RETURNED = "partly_returned"


#: Why an order in a state is kept back; in other states it is sent.
KEPT_BACK = {
    StateMeaning.NOT_PAID: "not paid",
    StateMeaning.CANCELLED: "cancelled",
    StateMeaning.TEST: "test order",
    StateMeaning.IGNORED: "state that the mapping ignores",
}
#: The words that shops use for them, in lower case.
STATE_WORDS = {
    **dict.fromkeys(
        ("paid", "complete", "completed", "fulfilled", "shipped", "delivered"), StateMeaning.COUNTS
    ),
    **dict.fromkeys(
        ("pending", "unpaid", "authorized", "on hold", "on-hold", "voided"), StateMeaning.NOT_PAID
    ),
    **dict.fromkeys(("cancelled", "canceled", "failed", "declined"), StateMeaning.CANCELLED),
    **dict.fromkeys(("refunded", "returned"), StateMeaning.RETURNED),
    **dict.fromkeys(("partially refunded", "partially_refunded"), StateMeaning.PARTLY_RETURNED),
    "test": StateMeaning.TEST,
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
        total: of the whole order, on one of its lines or on each; in place of the others.
        currency: its code, if lines differ.
        state: of the order or the line; see `StateMeaning`.
        refunded: how much of an order was returned, on one of its lines or on each.
        remaining: what is left of its total after refunds; blank if nothing was returned.
        paid: when it was paid; an order without it is not paid.
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
    total: str = ""
    currency: str = ""
    state: str = ""
    refunded: str = ""
    remaining: str = ""
    paid: str = ""
    record_type: str = ""
    order: str = ""
    test: str = ""
    staff: str = ""

    @property
    def in_use(self) -> dict[str, str]:
        """The columns that are read, by their meaning."""
        used = {meaning: column for meaning, column in asdict(self).items() if column}
        unused = _REPLACES["total" if self.total else "amount" if self.amount else ""]
        return {meaning: column for meaning, column in used.items() if meaning not in unused}

    @property
    def required_columns(self) -> tuple[str, ...]:
        """All columns that the file must have, each once."""
        return tuple(dict.fromkeys(self.in_use.values()))


#: The meanings that are not read beside another.
_REPLACES = {"total": {"amount", "quantity", "price"}, "amount": {"quantity", "price"}, "": set[str]()}


#: Meanings that a mapping may carry to the other lines of an order.
CARRIED = {"date", "customer", "currency", "state", "paid", "record_type", "order", "test", "staff"}


def _as_tuple(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts)


@frozen
class FileFormat:
    """How the file is written. Checks the encoding, the time zone, the delimiter and the carried columns.

    Attributes:
        decimal_comma: of prices, amounts and quantities alike.
        date_format: as for `datetime.strptime`; ISO 8601 if empty.
        time_zone: of dates without one, and of the shop's calendar.
        no_customer: further texts for an order without a customer, such as ``0``.
        carried: meanings of columns that only one line of an order fills.
    """

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal_comma: bool = False
    date_format: str = ""
    time_zone: str = "UTC"
    no_customer: tuple[str, ...] = field(default=(), converter=_as_tuple)
    carried: tuple[str, ...] = field(default=(), converter=_as_tuple)
    record_types: Mapping[str, RecordType] = field(factory=lambda: RECORD_TYPE_WORDS)
    states: Mapping[str, StateMeaning] = field(factory=lambda: STATE_WORDS)
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
        if unknown := set(self.carried) - CARRIED:
            raise ConfigurationError(
                f"must be of {', '.join(sorted(CARRIED))}", field=f"carried {min(unknown)!r}"
            )

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


_TABLES = ("columns", "record_types", "states", "rates")


def parse_mapping(data: Mapping[str, Any]) -> FileMapping:
    """A mapping from decoded TOML; a `ConfigurationError` names the key and the fault."""
    rest = dict(data)
    tables = {name: rest.pop(name, {}) for name in _TABLES}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError("must be a table", field=name, hint=f"write [{name}]")
    prefix, currency = rest.pop("cancelled_prefix", "C"), rest.pop("currency", Currencies().default)
    _check(rest, fields_dict(FileFormat), "mapping")
    _check(tables["columns"], fields_dict(ColumnMapping), "columns")
    if not isinstance(prefix, str) or not isinstance(currency, str):
        raise ConfigurationError("must be text", field="cancelled_prefix, currency")
    columns = ColumnMapping(**tables["columns"])
    currencies = Currencies(currency, _parse_rates(tables["rates"]))
    return FileMapping(
        columns,
        prefix,
        FileFormat(
            **rest,
            record_types=_parse_words(tables, "record_types", RecordType, RECORD_TYPE_WORDS),
            states=_parse_words(tables, "states", StateMeaning, STATE_WORDS),
            currencies=currencies,
        ),
    )


def _check(values: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for name, value in values.items():
        if name not in known or name in ("record_types", "states", "currencies"):
            raise ConfigurationError(
                f"is an unknown key; available: {', '.join(known)}", field=f"{where} {name!r}"
            )
        has_texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        wanted = {"decimal_comma": bool, "no_customer": list, "carried": list}.get(name, str)
        if not isinstance(value, wanted) or not has_texts:
            raise ConfigurationError(f"must be {_TYPE_NAMES[wanted]}", field=name)


_TYPE_NAMES: dict[type, str] = {bool: "true or false", str: "text", list: "a list of texts"}
_Meaning = TypeVar("_Meaning", bound=StrEnum)


def _parse_words(
    tables: Mapping[str, Mapping[str, Any]],
    name: str,
    meanings: type[_Meaning],
    usual: Mapping[str, _Meaning],
) -> dict[str, _Meaning]:
    """The shop's own words by their meaning, in addition to the usual ones."""
    words_by_meaning = dict(usual)
    for meaning, words in tables[name].items():
        if meaning not in set(meanings) or not isinstance(words, list):
            raise ConfigurationError(
                f"must be one of {', '.join(meanings)}, with a list of words",
                field=f"{name} {meaning!r}",
                hint=f'write: {min(meanings)} = ["RMA"]',
            )
        words_by_meaning |= {str(word).strip().lower(): meanings(meaning) for word in words}
    return words_by_meaning


def _parse_rates(table: Mapping[str, Any]) -> dict[str, Decimal]:
    try:
        return {code: Decimal(str(rate)) for code, rate in table.items()}
    except InvalidOperation as error:
        raise ConfigurationError("must be numbers", field="rates", hint='write: EUR = "0.86"') from error
