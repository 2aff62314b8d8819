"""Proposes a mapping from the header and the first lines of a file."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from sesame_retail.files import csv_reader, order_files
from sesame_retail.files.compression import COMPRESSED, file_errors, open_source
from sesame_retail.files.field_parsers import TimestampParser, UnreadableFieldError
from sesame_retail.files.mapping import FileFormat, RecordType
from sesame_retail.kinds import SPENT, UNIT
from sesame_sdk import InvalidInputError

_LINES = 200
#: Names of columns by their meaning, the most specific first; compared without case, spaces and signs.
NAMES = {
    "number": ("invoiceno", "invoicenumber", "invoiceid", "invoice", "ordernumber", "orderno", "orderid",
               "bestellnummer", "bestellung", "numerocommande", "number", "order", "id"),
    "date": ("invoicedate", "orderdate", "createdat", "placedat", "paidat", "datecreated", "purchasedate",
             "bestelldatum", "datum", "timestamp", "date"),
    "customer": ("customerid", "customerno", "customernumber", "clientid", "userid", "memberid",
                 "kundennummer", "kunde", "customer", "client"),
    "quantity": ("quantity", "lineitemquantity", "qty", "units", "menge", "quantite"),
    "price": ("unitprice", "lineitemprice", "itemprice", "priceeach", "preis", "prix", "price"),
    "amount": ("linetotal", "lineamount", "total", "amount", "betrag", "montant", "subtotal"),
    "currency": ("currency", "currencycode", "waehrung", "devise"),
    "record_type": ("type", "transactiontype", "recordtype", "kind", "status"),
    "order": ("originalorder", "originalinvoice", "parentorder", "relatedorder", "refersto", "parentid"),
    "test": ("test", "istest", "testorder"),
    "staff": ("staff", "isstaff", "employee", "stafforder"),
}  # fmt: skip
_DAYS = ("%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y")
_FORMATS = [day + time for day in _DAYS for time in (" %H:%M:%S", " %H:%M", "")]
_is_comma = re.compile(r"[+-]?[0-9.]*,[0-9]{1,4}").fullmatch


def propose_mapping(path: Path) -> str:
    """A mapping for a file, as TOML; what was not recognised is a comment."""
    header, rows, delimiter = sniff(path)
    columns = _match_columns(header)
    values = {name: [row[header.index(column)] for row in rows] for name, column in columns.items()}
    lines = [f"# How {json.dumps(path.name)} is read: proposed from {len(rows)} lines. Check it."]
    lines += _describe_format(values, delimiter)
    lines += ["", "[columns]", *(f"{name} = {_quote(column)}" for name, column in columns.items())]
    needed = {"number", "date", "customer"} | (set() if "amount" in columns else {"quantity", "price"})
    if missing := sorted(needed - set(columns)):
        lines += [f"# {name} = ?  not recognised, but required" for name in missing]
        lines.append(f"# the file has: {', '.join(map(_quote, header))}")
    lines += _describe_rates(values.get("currency", []))
    return "\n".join(lines) + "\n"


def sniff(path: Path) -> tuple[list[str], list[list[str]], str]:
    """The header, the first rows and the delimiter of a file."""
    last = [suffix for suffix in path.suffixes if suffix not in COMPRESSED][-1:]
    with file_errors(path), open_source(path) as source:
        if set(last) & order_files.PARQUET:
            return order_files.parquet_columns(source.stream), [], ","
        text = next(csv_reader.read_lines(source.stream, FileFormat().encoding), "")
    lines = text.split("\n")[: _LINES + 1]
    if set(last) & order_files.JSON:
        return (*_json_rows(lines), ",")
    delimiter = max(",;\t|", key=lines[0].count)
    rows = list(islice(csv.reader(lines, delimiter=delimiter), _LINES + 1))
    if not rows or len(rows[0]) < 2:
        raise InvalidInputError("has no header of several columns", field=path.name)
    header = [name.strip() for name in rows[0]]
    return header, [row for row in rows[1:] if len(row) == len(header)], delimiter


def _json_rows(lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    records = []
    for line in lines:
        try:
            value = json.loads(line, parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            records.append(value)
    header = list(dict.fromkeys(name for record in records for name in record))
    return header, [[str(record.get(name) or "") for name in header] for record in records]


def _match_columns(header: Sequence[str]) -> dict[str, str]:
    """The column for each meaning; no column has two meanings."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(header)}
    columns: dict[str, str] = {}
    for meaning, names in NAMES.items():
        if meaning == "amount" and {"quantity", "price"} <= set(columns):
            continue
        fitting = next(
            (plain[name] for name in names if name in plain and plain[name] not in columns.values()), None
        )
        if fitting is not None:
            columns[meaning] = fitting
    if "amount" in columns:
        columns.pop("quantity", None), columns.pop("price", None)
    return columns


def _describe_format(values: dict[str, list[str]], delimiter: str) -> list[str]:
    lines = []
    if delimiter != ",":
        lines.append(f"delimiter = {_quote(delimiter)}")
    money = [text for name in ("price", "amount") for text in values.get(name, []) if text.strip()]
    if any(map(_is_comma, money)) and _fits_most(money, lambda text: "," in text or text.isdigit()):
        lines.append("decimal_comma = true")
    dates = [text for text in values.get("date", []) if text.strip()]
    if dates and not _fits_most(dates, _date_parser("")):
        fitting = next((form for form in _FORMATS if _fits_most(dates, _date_parser(form))), None)
        lines.append(
            f"date_format = {_quote(fitting)}" if fitting else '# date_format = "?"  no known format fits'
        )
    lines.append('# time_zone = "Europe/London"  of dates without one; default: UTC')
    numbers = values.get("number", [])
    if not any(number.startswith("C") for number in numbers):
        lines.append('cancelled_prefix = ""  # prefix of the numbers of returns')
    words = {word.strip().lower() for word in values.get("record_type", [])} - {
        str(record_type) for record_type in RecordType
    }
    lines += [f"# under [record_types], add what {_quote(word)} means" for word in sorted(words)[:10] if word]
    return lines


def _fits_most(texts: Sequence[str], fits: Callable[[str], bool]) -> bool:
    """Whether nine in ten fit: files have bad lines."""
    return 10 * sum(map(fits, texts)) >= 9 * len(texts)


def _date_parser(form: str) -> Callable[[str], bool]:
    timestamps = TimestampParser(form)

    def reads(text: str) -> bool:
        try:
            return bool(timestamps[text])
        except UnreadableFieldError:
            return False

    return reads


def _describe_rates(codes: Iterable[str]) -> list[str]:
    """Comments for currencies without a kind, which need a rate."""
    wanted = sorted({code.strip().upper() for code in codes} - set(SPENT) - {""})[:10]
    asked = [f'# {code} = "?"  the value of one in {UNIT}; skipped without it' for code in wanted]
    return ["", "[rates]", *asked] if asked else []


def _quote(text: str) -> str:
    return json.dumps(text)
