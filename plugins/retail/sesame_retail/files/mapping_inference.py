"""Proposes a mapping from all lines of a file, and says what it is not sure of.

Rules:
1. A platform's own export is known by its header (``presets/``), which says what each state means.
2. Otherwise a column is known by its name, and by its values where these decide: dates, currencies, e-mail
   addresses, flags.
3. How numbers and dates are written is what most lines of the whole file fit. Where two ways fit alike, the
   order of the lines decides, and the proposal says so; where nothing decides, it asks.
4. What is printed can be loaded, and is tried on the file: the proposal says how many lines it reads.
"""

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import define, field

from sesame_retail.files import order_sql
from sesame_retail.files.file_columns import FileColumns, open_columns
from sesame_retail.files.mapping import (
    CARRIED,
    RECORD_TYPE_WORDS,
    STATE_WORDS,
    FileFormat,
    FileMapping,
    parse_mapping,
)
from sesame_retail.files.order_files import open_order_lines
from sesame_retail.kinds import SPENT, UNIT
from sesame_retail.money import SIGNS, Currencies
from sesame_sdk import SesameError

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
         "%b-%d-%y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%Y%m%d")  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = ("", *(day + time for day in _DAYS for time in _TIMES))
#: Of the lines, in percent, that must fit a rule: files have bad lines.
_MOST = 90
_FLAG_WORDS = {"0", "1", "true", "false", "yes", "no", "y", "n", "t", "f", "x", "ja", "nein", "oui", "non"}
_GUESTS = ("0", "-1", "guest", "gast", "anonymous")
_MONEY = ("total", "amount", "price", "quantity")
_is_email = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch


def propose_mapping(path: Path, ignored: Collection[str] = ()) -> str:
    """A mapping for a file, as TOML; what is not certain is said in comments.

    Args:
        path: the file.
        ignored: columns that mean nothing.
    """
    with open_columns(path) as columns:
        proposal = _Proposal(columns, frozenset(ignored))
        proposal.find_columns()
        proposal.find_format()
        text = proposal.as_toml(path.name)
    return f"{_describe_trial(path, text)}{text}"


def _load_names() -> dict[str, list[str]]:
    """The usual names of columns by their meaning, the most specific first."""
    text = files("sesame_retail").joinpath("column_names.toml").read_text("utf-8")
    names: dict[str, list[str]] = tomllib.loads(text)
    return names


def load_presets() -> dict[str, dict[str, Any]]:
    """The presets by the names of their files."""
    folder = files("sesame_retail").joinpath("presets")
    named = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".toml"))
    return {name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for name, file in named}


@define
class _Proposal:
    """What is proposed for a file.

    Attributes:
        columns: names of columns by their meaning.
        settings: keys of the mapping, with the comment for each.
        words: what states mean.
        comments: what is not certain.
    """

    file: FileColumns
    ignored: frozenset[str]
    columns: dict[str, str] = field(factory=dict)
    settings: dict[str, tuple[object, str]] = field(factory=dict)
    words: dict[str, dict[str, list[str]]] = field(factory=dict)
    comments: list[str] = field(factory=list)

    def find_columns(self) -> None:
        """Find the column for each meaning: by a preset, or by names and values."""
        if not self._use_preset():
            self._match_names()
            self._match_values()
        for meaning in ("test", "staff"):
            self._drop_unless(
                meaning, {word.lower() for word in self._texts(meaning)} <= _FLAG_WORDS, "holds no flags"
            )
        self._check_words("record_type", RECORD_TYPE_WORDS)
        self._check_words("state", STATE_WORDS)
        if _is_email((self._texts("customer") or [""])[0]):
            self.comments.append(
                "customers are known by their e-mail address: its pseudonym is sent, never the address"
            )

    def find_format(self) -> None:
        """Find how the file is written."""
        self._describe_text()
        self._describe_numbers()
        self._describe_dates()
        self._describe_lines()
        self._describe_customers()
        self._describe_prefix()
        self._describe_currencies()

    def as_toml(self, name: str) -> str:
        """The mapping."""
        lines = [f"# How {json.dumps(name)} is read: proposed from {self.file.lines:,} lines. Check it."]
        lines += [f"# {comment}" for comment in self.comments]
        for key, (value, comment) in self.settings.items():
            lines.append(f"{key} = {_as_toml(value)}{f'  # {comment}' if comment else ''}")
        if "time_zone" not in self.settings:
            lines.append('# time_zone = "Europe/London"  of dates without one; default: UTC')
        lines += [
            "",
            "[columns]",
            *(f"{meaning} = {_as_toml(column)}" for meaning, column in self.columns.items()),
        ]
        lines += self._missing()
        for table, words in self.words.items():
            lines += [
                "",
                f"[{table}]",
                *(f"{meaning} = {_as_toml(listed)}" for meaning, listed in words.items()),
            ]
        return "\n".join(lines + self._unknown_currencies()) + "\n"

    def _use_preset(self) -> bool:
        header = set(self.file.header) - self.ignored
        fitting = [preset for preset in load_presets().values() if header >= set(preset["preset"]["header"])]
        if not fitting:
            return False
        preset = max(fitting, key=lambda one: len(one["preset"]["header"]))
        about, mapping = preset["preset"], dict(preset["mapping"])
        self.comments.append(f"this is {about['name']}")
        self.comments += [about["note"]] if "note" in about else []
        self.columns = {meaning: name for meaning, name in mapping.pop("columns").items() if name in header}
        states = mapping.pop("states", {})
        if "state" in self.columns:
            self.words["states"] = states
        mapping["carried"] = [meaning for meaning in mapping.get("carried", []) if meaning in self.columns]
        self.settings = {key: (value, "") for key, value in mapping.items() if value and key != "delimiter"}
        self.settings["cancelled_prefix"] = ("", "prefix of the numbers of returns")
        return True

    def _match_names(self) -> None:
        """No column has two meanings."""
        header = [name for name in reversed(self.file.header) if name not in self.ignored]
        plain = {_plain(name.rpartition(".")[2]): name for name in header}
        plain |= {_plain(name): name for name in header}
        for meaning, names in _load_names().items():
            fitting = (
                plain[name] for name in names if name in plain and plain[name] not in self.columns.values()
            )
            if (column := next(fitting, None)) is not None:
                self.columns[meaning] = column
        self._choose_amounts()

    def _choose_amounts(self) -> None:
        """Quantity and price if both are there, else a total of the order, else an amount of the line."""
        unused: tuple[str, ...] = ()
        if {"quantity", "price"} <= set(self.columns):
            unused = ("total", "amount")
        elif "amount" in self.columns and not self._is_total("amount"):
            unused = ("quantity", "price", "total")
        elif "total" in self.columns or "amount" in self.columns:
            self.columns.setdefault("total", self.columns.get("amount", ""))
            unused = ("quantity", "price", "amount")
        for meaning in unused:
            self.columns.pop(meaning, None)
        if "total" in self.columns and not self._is_total("total"):
            self.columns["amount"] = self.columns.pop("total")

    def _is_total(self, meaning: str) -> bool:
        """Whether a column has one value an order, on one or all of several lines."""
        if meaning not in self.columns or "number" not in self.columns:
            return False
        number, amount = (self.file.column(self.columns[name]) for name in ("number", meaning))
        several, differing = self.file.ask(
            "SELECT count(*) FILTER (n > 1), count(*) FILTER (n > 1 AND stated > 1) FROM ("  # noqa: S608 - indices
            f"SELECT count(*) AS n, count(DISTINCT nullif(trimmed({amount}), '')) AS stated"
            f" FROM rows GROUP BY {number})"
        )[0]
        return bool(several) and not differing

    def _match_values(self) -> None:
        """Find dates, currencies and e-mail addresses whatever the name of their column."""
        free = [
            name
            for name in self.file.header
            if name not in self.columns.values() and name not in self.ignored
        ]
        for name in free:
            texts = self.file.texts(name)
            if not texts:
                continue
            if "date" not in self.columns and self._best_formats(name)[0][0] * 100 >= _MOST * self.file.lines:
                self.columns["date"] = name
            elif "currency" not in self.columns and all(map(_is_currency, texts)):
                self.columns["currency"] = name
            elif "customer" not in self.columns and _fits_most(texts, _is_email):
                self.columns["customer"] = name

    def _texts(self, meaning: str) -> list[str]:
        return self.file.texts(self.columns[meaning]) if meaning in self.columns else []

    def _drop_unless(self, meaning: str, fits: bool, reason: str) -> None:
        if meaning in self.columns and not fits:
            name = self.columns.pop(meaning)
            self.comments.append(f"{json.dumps(name)} {reason}, so it is not taken for {meaning}")

    def _check_words(self, meaning: str, known: "dict[str, Any]") -> None:
        """Leave a column out of which no word is known, and name the words that are not."""
        if meaning not in self.columns:
            return
        table = "record_types" if meaning == "record_type" else "states"
        own = {word for words in self.words.get(table, {}).values() for word in words}
        words = {text.lower() for text in self._texts(meaning)}
        unknown = sorted(words - set(known) - own)
        if words and len(unknown) == len(words):
            self._drop_unless(meaning, False, "holds other words")
            return
        self.comments += [f"under [{table}], say what {json.dumps(word)} means" for word in unknown[:10]]

    def _describe_text(self) -> None:
        dialect = self.file.dialect
        if dialect is None:
            return
        usual = FileFormat()
        if dialect.delimiter not in ("", usual.delimiter):
            self.settings["delimiter"] = (dialect.delimiter, "")
        if dialect.encoding.startswith("utf-16"):
            self.settings["encoding"] = ("utf-16", "by its byte order mark")
        elif dialect.encoding != "utf-8":
            self.settings["encoding"] = (dialect.encoding, "not UTF-8, so probably of Windows")

    def _describe_numbers(self) -> None:
        names = [self.columns[meaning] for meaning in _MONEY if meaning in self.columns]
        if not names:
            return
        points, commas, written = (self._count_numbers(names, comma) for comma in (False, True, None))
        self._use_locale(comma=commas > points)
        if commas > points:
            self.settings["decimal_comma"] = (
                True,
                f"{commas:,} of {written:,} numbers fit, {points:,} with a point",
            )
        elif commas == points and self._has_separators(names):
            self.comments.append(
                "numbers fit both a decimal point and a decimal comma: set decimal_comma = true for a comma"
            )

    def _use_locale(self, *, comma: bool) -> None:
        self.file.database.execute(order_sql.rules(FileMapping(file_format=FileFormat(decimal_comma=comma))))

    def _count_numbers(self, names: list[str], comma: bool | None) -> int:
        """How many numbers can be read; None counts all that are written."""
        if comma is not None:
            self._use_locale(comma=comma)
        fits = "TRUE" if comma is None else "spelled_number(c) IS NOT NULL"
        return sum(
            self.file.ask(
                f"SELECT count(*) FILTER ({fits}) FROM (SELECT {bare} AS c FROM rows)"  # noqa: S608 - indices
                " WHERE cleaned(trimmed(c)) IS NOT NULL"
            )[0][0]
            for bare in (_without_signs(self.file.column(name)) for name in names)
        )

    def _has_separators(self, names: list[str]) -> bool:
        return any(re.search("[.,]", text) for name in names for text in self.file.texts(name))

    def _best_formats(self, name: str) -> list[tuple[int, str]]:
        """How many dates fit each format, the best first; the usual formats come first among equals."""
        tests = ", ".join(f"coalesce(sum(n) FILTER ({_fits_date(form)}), 0)" for form in _FORMATS)
        counts = self.file.ask(
            f"SELECT {tests} FROM (SELECT trimmed({self.file.column(name)}) AS t_date,"  # noqa: S608 - constants
            " count(*) AS n FROM rows GROUP BY 1)"
        )[0]
        ranked = sorted(zip(counts, _FORMATS, strict=True), key=lambda one: -one[0])
        return [(int(count), form) for count, form in ranked]

    def _describe_dates(self) -> None:
        if "date" not in self.columns or not self.file.texts(self.columns["date"], 1):
            return
        name = self.columns["date"]
        ranked = self._best_formats(name)
        best, form = ranked[0]
        if not best:
            self.comments.append(
                f'no known format fits the dates in {json.dumps(name)}: set date_format = "..."'
            )
            self.settings.pop("date_format", None)
            return
        rivals = [other for count, other in ranked[1:] if count == best and other and form]
        if not rivals:
            rival = next((f", {count:,} fit {other}" for count, other in ranked[1:2] if count), "")
            self._set_format(
                form, "" if best == self.file.lines else f"{best:,} of {self.file.lines:,} fit{rival}"
            )
            return
        self._settle_dates(name, [form, *rivals])

    def _set_format(self, form: str, comment: str) -> None:
        self.settings.pop("date_format", None)
        if form:
            self.settings["date_format"] = (form, comment)

    def _settle_dates(self, name: str, forms: list[str]) -> None:
        """Choose among formats that fit alike by the order of the lines, or ask."""
        steps = max(self.file.lines - 1, 0)
        in_order = sorted(((self._count_in_order(name, form), form) for form in forms), reverse=True)
        (most, form), (fewer, other) = in_order[:2]
        ways = f"dates fit both {_day_order(form)} and {_day_order(other)}"
        if most > fewer and 2 * (steps - most) <= steps - fewer:
            comment = f"{ways}: {most:,} of {steps:,} lines run in order as {_day_order(form)}"
            self._set_format(form, comment)
            return
        self.settings.pop("date_format", None)
        self.comments.append(f"{ways}, and nothing in the file decides: set one of")
        self.comments += [f"date_format = {_as_toml(one)}" for one in sorted((form, other))]

    def _count_in_order(self, name: str, form: str) -> int:
        """How many dates are not before that of the line above."""
        parsed = f"try_strptime(trimmed({self.file.column(name)}), {order_sql.quote(form)})"
        count: int = self.file.ask(
            "SELECT count(*) FILTER (day >= previous) FROM"  # noqa: S608 - quoted
            " (SELECT day, lag(day) OVER (ORDER BY line) AS previous FROM"
            f" (SELECT line, {parsed} AS day FROM rows))"
        )[0][0]
        return count

    def _describe_lines(self) -> None:
        """Carry what only one line of an order fills."""
        if "number" not in self.columns or "carried" in self.settings:
            return
        number = self.file.column(self.columns["number"])
        carried = [
            meaning
            for meaning, name in self.columns.items()
            if meaning in CARRIED and self._is_partly_filled(number, self.file.column(name))
        ]
        if carried:
            self.settings["carried"] = (carried, "filled on one line of an order only")

    def _is_partly_filled(self, number: str, column: str) -> bool:
        orders = self.file.ask(
            "SELECT count(*) FROM"  # noqa: S608 - indices
            " (SELECT count(*) AS n, count(t) AS filled, count(DISTINCT t) AS different FROM"
            f" (SELECT {number} AS number, cleaned(trimmed({column})) AS t FROM rows) GROUP BY number)"
            " WHERE filled > 0 AND filled < n AND different = 1"
        )[0][0]
        return bool(orders)

    def _describe_customers(self) -> None:
        guests = [text for text in self._texts("customer") if text.lower() in _GUESTS]
        if guests and "no_customer" not in self.settings:
            self.settings["no_customer"] = (guests, "orders of guests")

    def _describe_prefix(self) -> None:
        """A prefix marks returns if the amounts of its numbers are never positive, and some are negative."""
        if "cancelled_prefix" in self.settings or "number" not in self.columns:
            return
        prefixes = self._return_prefixes()
        usual = FileMapping().cancelled_prefix
        if usual not in prefixes:
            self.settings["cancelled_prefix"] = (next(iter(prefixes), ""), "prefix of the numbers of returns")

    def _return_prefixes(self) -> list[str]:
        measure = next((name for name in ("quantity", "amount", "total") if name in self.columns), None)
        if measure is None:
            return [FileMapping().cancelled_prefix]
        number, amount = (self.file.column(self.columns[name]) for name in ("number", measure))
        rows = self.file.ask(
            "SELECT prefix FROM (SELECT regexp_extract(trimmed("  # noqa: S608 - indices
            f"{number}), '^[A-Za-z]+[-_ ]?') AS prefix, number_of({amount}) AS much FROM rows)"
            " WHERE prefix <> '' GROUP BY prefix HAVING min(much) < 0 AND max(much) <= 0"
            " ORDER BY count(*) DESC"
        )
        return [prefix for (prefix,) in rows]

    def _describe_currencies(self) -> None:
        if "currency" in self.columns:
            return
        names = [self.columns[meaning] for meaning in _MONEY if meaning in self.columns]
        texts = [text for name in names for text in self.file.texts(name)]
        codes = {
            code for code, signs in SIGNS.items() if any(sign in text for sign in signs for text in texts)
        }
        if codes - {UNIT} and len(codes) == 1:
            self.settings["currency"] = (codes.pop(), "by the sign beside the amounts")
        elif not codes:
            self.comments.append(f'no column says the currency: set currency = "EUR" if it is not {UNIT}')

    def _missing(self) -> Iterator[str]:
        amounts = ("total", "amount")
        needed = {"number", "date", "customer"}
        if not set(amounts) & set(self.columns):
            needed |= {"quantity", "price"}
        if missing := sorted(needed - set(self.columns)):
            yield from (f"# {name} = ?  not recognised, but required" for name in missing)
            yield f"# the file has: {', '.join(map(json.dumps, self.file.header))}"

    def _unknown_currencies(self) -> list[str]:
        """Comments for currencies without a kind, which need a rate."""
        codes = {Currencies.code_of(text) for text in self._texts("currency")}
        asked = [
            f'# {code} = "?"  the value of one in {UNIT}; skipped without it'
            for code in sorted(codes - set(SPENT))[:10]
        ]
        return ["", "[rates]", *asked] if asked else []


def _describe_trial(path: Path, text: str) -> str:
    """How many lines the proposed mapping reads, as a comment."""
    try:
        with open_order_lines(path, parse_mapping(tomllib.loads(text))) as lines:
            read, orders = lines.lines - lines.rejected, lines.invoice_count
            found = f"{read:,} of {lines.lines:,} lines can be read: {orders:,} orders and returns"
            return f"# With this mapping, {found}.\n"
    except SesameError as error:
        return f"# With this mapping, the file cannot be read yet: {error}\n"


def _as_toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().translate(_SPELLINGS))


_SPELLINGS = {
    ord(sign): text for sign, text in zip("äöüßéèñ", ("ae", "oe", "ue", "ss", "e", "e", "n"), strict=True)
}


def _is_currency(text: str) -> bool:
    code = Currencies.code_of(text)
    return code in SPENT or (len(text) == 3 and text.isupper() and text.isascii() and text.isalpha())


def _fits_most(texts: list[str], fits: Any) -> bool:  # noqa: ANN401 - a match or a truth
    return 100 * sum(bool(fits(text)) for text in texts) >= _MOST * len(texts)


def _fits_date(form: str) -> str:
    if not form:
        return "iso_time(t_date) >= 0"
    return f"try_strptime(t_date, {order_sql.quote(form)}) >= TIMESTAMP '1970-01-01'"


def _day_order(form: str) -> str:
    names = {"d": "day", "m": "month", "b": "month", "y": "year", "Y": "year"}
    return "/".join(names[sign] for sign in re.findall("%([dmbyY])", form)).removesuffix("/year")


def _without_signs(column: str) -> str:
    signs = sorted({sign for listed in SIGNS.values() for sign in listed}, key=len, reverse=True)
    pattern = "|".join(re.escape(sign).replace(r"\ ", " ") for sign in signs)
    return f"regexp_replace(trimmed({column}), {order_sql.quote(pattern)}, '', 'g')"
