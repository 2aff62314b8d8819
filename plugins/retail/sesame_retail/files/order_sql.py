"""The SQL that reads the order lines of one mapping. Whatever comes from outside is quoted here."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from attrs import frozen

from sesame_retail.files.mapping import KEPT_BACK, FileMapping, StateMeaning
from sesame_retail.files.text_files import MAX_LINE
from sesame_retail.money import SIGNS
from sesame_sdk import records

#: In a path of JSON: stands after the name of a list, each item of which is a line.
ITEMS = "[]."
_NUMBER = "DECIMAL(18, 6)"
#: Columns that say how much, which are read on each line.
AMOUNTS = ("quantity", "price", "amount")
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@frozen
class Fault:
    """Why a line is rejected: the meaning of the column at fault, the reason, and a condition in SQL."""

    meaning: str
    reason: str
    condition: str


def quote(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """The name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def statement(name: str, **parts: str) -> str:
    """A statement of the folder ``sql``, with its parts."""
    return Template(files(__package__).joinpath("sql", f"{name}.sql").read_text("utf-8")).substitute(parts)


def rules(reading: FileMapping) -> str:
    """The macros that say what a text means in a file."""
    comma = reading.file_format.decimal_comma
    signs = SIGNS.get(reading.file_format.currencies.default, ())
    point, thousands = (",", r"\.") if comma else (r"\.", ",")
    # One kind of separator in a number: 1.234'567 is none.
    groups = "|".join(rf"(?:{sign}[0-9]{{3}}){{1,3}}" for sign in (thousands, "'", r"[\s\p{Z}]"))
    return statement(
        "rules",
        blanks=quote(records.BLANKS),
        missing=", ".join(map(quote, records.MISSING_WORDS)),
        whole_with_fraction=quote(records.WHOLE_WITH_FRACTION),
        altered=quote(f"{records.SCIENTIFIC}|{records.CUT_OFF}"),
        max_exact_double=str(records.MAX_EXACT_DOUBLE),
        max_id_length=str(records.MAX_ID_LENGTH),
        sign="|".join(sign.replace("$", r"\$") for sign in signs) or r"\b\B",
        point=quote("," if comma else "."),
        plain_number=quote(rf"-?[0-9]{{1,9}}(?:{point}[0-9]{{1,6}})?"),
        spelled_number=quote(
            rf"[+-]?(?:(?:[0-9]{{1,12}}|[0-9]{{1,3}}(?:{groups}))(?:{point}[0-9]{{1,6}}0*)?|{point}[0-9]{{1,6}}0*)"
        ),
        thousands=quote(rf"{thousands}|'|[\s\p{{Z}}]"),
    )


def csv_rows(path: Path, delimiter: str, width: int, *, quoted: bool = True) -> str:
    """The records of a copy: ``c0``, ``c1`` ..., and ``line``, the number of the record."""
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    sign = quote('"' if quoted else "")
    options = (
        f"auto_detect = false, header = false, delim = {quote(delimiter)}, quote = {sign}, escape = {sign},"
        f" new_line = '\\n', columns = {{{columns}}}, store_rejects = true,"
        f" maximum_line_size = {MAX_LINE}, buffer_size = {4 * MAX_LINE}"
    )
    numbered = "(SELECT *, row_number() OVER () AS line"
    return f"{numbered} FROM read_csv({quote(str(path))}, {options}))"


def parquet_column(name: str, kind: str) -> str:
    """A column of Parquet: as it is if it counts, else as text."""
    column = quote_name(name)
    if kind in ("FLOAT", "DOUBLE", *_WHOLE_TYPES) or kind.startswith("DECIMAL"):
        return column
    return f"decode({column})" if kind == "BLOB" else f"CAST({column} AS VARCHAR)"


@frozen
class JsonLines:
    """The fields of JSON lines by paths: ``order.id``, and ``lines[].price`` for each item of a list."""

    paths: Mapping[str, str]

    @property
    def items(self) -> str:
        """The path of the list whose items are lines; empty if each object is one."""
        return next((path.partition(ITEMS)[0] for path in self.paths.values() if ITEMS in path), "")

    def rows(self, path: Path) -> str:
        """The rows of a copy: ``j``, the object, ``item``, and ``line``."""
        lines = csv_rows(path, "\x1f", 1, quoted=False)
        objects = f"(SELECT TRY_CAST(c0 AS JSON) AS j, line FROM {lines} WHERE trimmed(c0) <> '')"  # noqa: S608 - quoted
        if not self.items:
            return objects
        items = f"json_extract(j, {_json_path(self.items + '[*]')})"
        # An object without items is one line, so that its order is not lost.
        return (
            "(SELECT j, line, unnest(CASE WHEN len("  # noqa: S608 - quoted
            f"{items}) > 0 THEN {items} ELSE [CAST(NULL AS JSON)] END) AS item FROM {objects})"
        )

    def columns(self) -> dict[str, str]:
        """The text of each meaning."""
        return {meaning: f"{self._value(path, '->>')}" for meaning, path in self.paths.items()}

    def _value(self, path: str, arrow: str) -> str:
        _, items, rest = path.partition(ITEMS)
        return f"(item {arrow} {_json_path(rest)})" if items else f"(j {arrow} {_json_path(path)})"

    def broken(self) -> str:
        """Why an object cannot be read, as an expression; empty text if it can."""
        needed = [self._value(path, "->") for meaning, path in self.paths.items() if meaning in _NEEDED]
        kinds = [
            f"json_type({self._value(path, '->')})"
            for meaning, path in self.paths.items()
            if meaning not in _FLAGS
        ]
        nested = " OR ".join(f"{kind} IN ('OBJECT', 'ARRAY', 'BOOLEAN')" for kind in kinds)
        missing = " OR ".join(f"{value} IS NULL" for value in needed)
        return (
            "CASE WHEN coalesce(json_type(j), '') <> 'OBJECT' THEN 'unreadable line'"
            " WHEN len(json_keys(j)) <> len(list_distinct(json_keys(j))) THEN 'field that is there twice'"
            f" WHEN {missing} THEN 'line without all its fields'"
            f" WHEN {nested} THEN 'unreadable line' ELSE '' END"
        )

    def present(self, source: str) -> str:
        """A query: of each meaning, whether any line has its field."""
        values = ", ".join(f"count({self._value(path, '->')}) > 0" for path in self.paths.values())
        return f"SELECT {values} FROM {source}"  # noqa: S608 - quoted


_NEEDED = ("number", "date", "quantity", "price", "amount")
_FLAGS = ("test", "staff")


def _json_path(path: str) -> str:
    keys = path.replace("[*]", "\0[*]").split(".")
    quoted = (
        '."' + key.partition("\0")[0].replace('"', r"\"") + '"' + key.partition("\0")[2] for key in keys
    )
    return quote("$" + "".join(quoted))


def line_amount(kinds: Mapping[str, str], words: Mapping[str, str]) -> str:
    """The amount of a line: quantity times price, or as it is stated; nothing where the order has a total.

    Args:
        kinds: the type in DuckDB of the column of each meaning.
        words: `word_readers`, to know cancellations, which need no amount.
    """
    factors = [_exact_number(meaning, kinds[meaning]) for meaning in AMOUNTS if meaning in kinds]
    amount = " * ".join(factors) or f"CAST(0 AS {_NUMBER})"
    if not factors or "record_type" not in kinds:
        return amount
    blank = " AND ".join(
        f"cleaned(trimmed({_text(meaning)})) IS NULL" for meaning in AMOUNTS if meaning in kinds
    )
    return f"CASE WHEN {words['record_type']} = 'cancel' AND {blank} THEN 0 ELSE {amount} END"


def _exact_number(meaning: str, kind: str) -> str:
    column = f"r_{meaning}"
    if kind in _WHOLE_TYPES:
        number = f"TRY_CAST({column} AS {_NUMBER})"
    elif kind in ("FLOAT", "DOUBLE"):
        # A fraction that prints as 2.55 is 2.55; one that is no decimal of six digits is not exact.
        number = f"TRY_CAST({column} AS {_NUMBER})"
        number = f"(CASE WHEN CAST({number} AS {kind}) = {column} THEN {number} END)"
    else:
        return f"{'quantity' if meaning == 'quantity' else 'number'}_of({_text(meaning)})"
    whole = f"(CASE WHEN {number} = trunc({number}) THEN CAST({number} AS DECIMAL(18, 0)) END)"
    return whole if meaning == "quantity" else number


def _text(meaning: str) -> str:
    return f"CAST(r_{meaning} AS VARCHAR)"


def word_readers(reading: FileMapping) -> dict[str, str]:
    """The meanings of the words for record types and states; NULL for an unknown word."""
    known = {"record_type": reading.file_format.record_types, "state": reading.file_format.states}
    return {
        meaning: f"(CASE lower(trimmed({_text(meaning)})) "
        + " ".join(f"WHEN {quote(word)} THEN {quote(str(value))}" for word, value in words.items())
        + " END)"
        for meaning, words in known.items()
    }


def _time(form: str, zone: str) -> str:
    if not form:
        return "iso_time(t_date)"
    parsed = f"try_strptime(t_date, {quote(form)})"
    has_zone = "%z" in form or "%Z" in form
    return f"epoch_us({parsed if has_zone else f'timezone({quote(zone)}, {parsed})'})"


def read_lines(reading: FileMapping, meanings: Iterable[str], relation: str, faults: Iterable[Fault]) -> str:
    """The query that reads the texts of a relation, by the names of `invoices.sql`.

    A column that the file has not is NULL.
    """
    present = set(meanings) - set(AMOUNTS)
    guests = ", ".join(quote(text.lower()) for text in ("", *reading.file_format.no_customer))
    signs = " ".join(
        f"WHEN {quote(sign)} THEN {quote(code)}" for code, listed in SIGNS.items() for sign in listed
    )
    known = {
        "number": ("number", "x_number"),
        "date": ("date", _time(reading.file_format.date_format, reading.file_format.time_zone)),
        "customer": ("customer", f"CASE WHEN lower(x_customer) NOT IN ({guests}) THEN x_customer END"),
        "currency": ("currency", f"CASE x_currency {signs} ELSE upper(x_currency) END"),
        "record_type": ("record_type", word_readers(reading)["record_type"]),
        "state": ("state", word_readers(reading)["state"]),
        "origin": ("order", "x_order"),
        "test": ("test", f"coalesce(lower(t_test) IN {_YES}, FALSE)"),
        "staff": ("staff", f"coalesce(lower(t_staff) IN {_YES}, FALSE)"),
        "total_stated": ("total", "number_of(t_total)"),
        "refunded": ("refunded", "abs(number_of(t_refunded))"),
        "remaining": ("remaining", "number_of(t_remaining)"),
        "paid": ("paid", "x_paid"),
    }
    readings = (
        f"{value if meaning in present else 'NULL'} AS {name}" for name, (meaning, value) in known.items()
    )
    return statement(
        "read",
        texts=", ".join(f"trimmed({_text(meaning)}) AS t_{meaning}" for meaning in sorted(present)),
        ids=", ".join(f"cleaned(t_{meaning}) AS x_{meaning}" for meaning in sorted(present)),
        readings=", ".join(readings),
        relation=relation,
        fault=_fault_index(faults),
    )


_YES = "('1', 'true', 'yes', 'y', 't', 'x')"


def faults(reading: FileMapping, meanings: Iterable[str]) -> tuple[Fault, ...]:
    """The faults of a line but for those of its amount, the first of which is reported."""
    carried = reading.file_format.carried

    def unread(meaning: str, reason: str) -> Fault:
        """A text that has no meaning; a blank one is none if another line of the order has it."""
        filled = f"x_{meaning} IS NOT NULL AND " if meaning in carried else ""
        return Fault(meaning, reason, f"{filled}{meaning} IS NULL")

    def written(meaning: str, name: str, reason: str) -> Fault:
        return Fault(meaning, reason, f"x_{meaning} IS NOT NULL AND {name} IS NULL")

    known = (
        Fault("number", "no invoice number", "number IS NULL"),
        Fault("number", "unreadable invoice number", "is_altered(t_number, x_number)"),
        unread("date", "unreadable date"),
        Fault("date", "date before 1970", "date < 0"),
        Fault(
            "customer", "unreadable customer", "customer IS NOT NULL AND is_altered(t_customer, x_customer)"
        ),
        Fault("currency", "unreadable currency", "NOT regexp_full_match(currency, '[A-Z]{3}')"),
        Fault("order", "unreadable order number", "is_altered(t_order, x_order)"),
        written("record_type", "record_type", "unknown record type"),
        unread("state", "unknown state"),
        written("total", "total_stated", "unreadable total"),
        written("refunded", "refunded", "unreadable refunded amount"),
        written("remaining", "remaining", "unreadable remaining amount"),
    )
    present = set(meanings)
    return tuple(fault for fault in known if fault.meaning in present)


def amount_faults(kinds: Mapping[str, str]) -> tuple[Fault, ...]:
    """The faults of a line whose amount cannot be read."""
    return tuple(
        Fault(
            meaning,
            f"unreadable {meaning}",
            f"amount IS NULL AND {_exact_number(meaning, kinds[meaning])} IS NULL",
        )
        for meaning in AMOUNTS
        if meaning in kinds
    )


def _fault_index(listed: Iterable[Fault]) -> str:
    """The index of the first fault of a line, from 1 on; 0 for an object that is broken."""
    conditions = [
        "broken <> '' THEN 0",
        *(f"{fault.condition} THEN {at}" for at, fault in enumerate(listed, 1)),
    ]
    return "CASE " + " ".join(f"WHEN {condition}" for condition in conditions) + " END"


def invoices(reading: FileMapping, meanings: Iterable[str]) -> str:
    """The statement that groups what was read by invoice."""
    present = set(meanings)
    carried = [meaning for meaning in reading.file_format.carried if meaning in present]
    fills = [
        f"coalesce({name}, max({name}) OVER (PARTITION BY number)) AS {name}"
        for name in ("origin" if meaning == "order" else meaning for meaning in carried)
    ]
    has_total = "total" in present
    total = "max(total_stated)" if has_total else "sum(total)"
    whole = total if has_total else "sum(total) FILTER (state = 'returned')"
    part = f"coalesce(max(refunded), {total} - min(remaining))"
    return statement(
        "invoices",
        carried=", ".join(fills) or "number AS number",
        kept=_kept_back(present),
        total=total,
        returned=f"CASE WHEN bool_or(state = 'returned') THEN {whole} ELSE {part} END",
        several_totals="min(total_stated) <> max(total_stated)" if has_total else "FALSE",
    )


def _kept_back(present: set[str]) -> str:
    """The reason to keep a line back, for each that may be."""
    reasons = [(f"state = {quote(str(state))}", reason) for state, reason in KEPT_BACK.items()]
    if "state" in present:
        reasons.append(("state IS NULL", "order without a state"))
    if "paid" in present:
        reasons.append(("paid IS NULL", KEPT_BACK[StateMeaning.NOT_PAID]))
    return " ".join(f"WHEN {condition} THEN {quote(reason)}" for condition, reason in reasons)
