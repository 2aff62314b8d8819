"""What a text in a file of records means: rules for orders, candidates, posts and consents.

Rules:
    * an id is trimmed, and ``17850.0`` is ``17850``: software that knows no integers beside missing values
      writes it so
    * an empty cell, and the words that databases and spreadsheets write for a missing value, name nobody
    * an id that software has altered beyond recovery is refused: scientific notation, a fraction beyond 2^53,
      ``#####``, undecodable bytes. Two people must not become one
    * a wanted column must be in the header exactly once
    * a fault names its line and its field, and shows the form of a value, never the value
"""

import re
from collections.abc import Iterable, Sequence

from sesame_sdk.errors import InvalidInputError

#: Written for a missing value by databases, spreadsheets, pandas and R; in lower case.
MISSING_WORDS = ("", "nan", "null", "\\n", "none", "n/a", "na", "#n/a", "<na>", "nil", "nat")
#: What is trimmed: the blanks of Unicode 16 (White_Space), and the marks of no width that exports leave.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
)
MAX_ID_LENGTH = 64
#: Whole numbers of a double are exact below this (IEEE 754).
MAX_EXACT_DOUBLE = 1 << 53
#: Regular expressions that Python and RE2 (in DuckDB) read alike.
WHOLE_WITH_FRACTION = r"([0-9]{1,64})\.0+"
SCIENTIFIC = r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,3}|[+-]?([iI]nf|[iI]nfinity)"
CUT_OFF = r"#+"

_whole_with_fraction = re.compile(WHOLE_WITH_FRACTION).fullmatch
_scientific = re.compile(SCIENTIFIC).fullmatch
_cut_off = re.compile(CUT_OFF).fullmatch
_FORM_LENGTH = 32


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value."""
    return text.strip(BLANKS).lower() in MISSING_WORDS


def clean_id(value: object, field: str, *, printable: bool = True) -> str | None:
    """An id as text, the same whatever form it came in; None if it is missing.

    Args:
        value: a text or a number, as JSON or a cell holds it.
        field: names it in errors.
        printable: whether it must be printable, and of at most `MAX_ID_LENGTH` characters.

    Raises:
        InvalidInputError: it is neither, or the id cannot be recovered from it.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidInputError("must be text or a whole number", field=field)
    text = str(value).strip(BLANKS)
    if text.lower() in MISSING_WORDS:
        return None
    if match := _whole_with_fraction(text):
        text = match[1]
        if int(text) >= MAX_EXACT_DOUBLE:
            raise InvalidInputError("is a fraction beyond 2^53", field=field, hint="export it as text")
    if _scientific(text):
        raise InvalidInputError("is in scientific notation", field=field, hint="export it as text")
    is_plain = text.isprintable() and "\ufffd" not in text and len(text) <= MAX_ID_LENGTH
    if _cut_off(text) or (printable and not is_plain):
        raise InvalidInputError(
            f"must be 1 to {MAX_ID_LENGTH} printable characters", field=field, hint="export it as text"
        )
    return text


def value_form(text: str) -> str:
    """The form of a value without the value: each digit is 9, each letter A or a."""
    masked = (
        "9" if sign.isdigit() else sign if not sign.isalpha() else "A" if sign.isupper() else "a"
        for sign in text[:_FORM_LENGTH]
    )
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in masked)


def find_columns(header: Sequence[str], wanted: Iterable[str], hint: str = "") -> dict[str, int]:
    """The index of each wanted column under a header, whose names are trimmed.

    Raises:
        InvalidInputError: a column is missing, or is there twice.
    """
    names = [name.strip(BLANKS) for name in header]
    wanted = list(dict.fromkeys(wanted))
    if missing := [name for name in wanted if name not in names]:
        raise InvalidInputError(f"the header lacks {', '.join(missing)}", field="header", hint=hint)
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise InvalidInputError(
            f"the header has {', '.join(twice)} twice", field="header", hint="rename or remove one of them"
        )
    return {name: names.index(name) for name in wanted}
