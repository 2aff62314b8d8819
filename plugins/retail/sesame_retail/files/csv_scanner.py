"""Finds the fields of thousands of CSV lines at once, with numpy.

Rules:
1. What `scan_csv` takes, `csv_reader.split_records` would read alike. What is unusual it leaves to
   that: a quote that neither begins nor ends a field, a record that goes on, bytes that are no text, a NUL,
   an endless field.
2. Only what is needed becomes text: of a line that goes on with an order, nothing does. Short fields are
   compared, and looked up, by their bytes taken as one number.
"""

from collections.abc import Iterator, Sequence
from csv import field_size_limit

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_retail.files.field_parsers import AmountParser, MemoizedParser
from sesame_retail.files.row_blocks import Run, TextRows

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Words = NDArray[np.uint64]
#: Bytes of a text that fits into one number; the first of them is the lowest.
WORD = 8
_BITS = 14
_SHIFT = np.uint64(64 - _BITS)
#: 2^64 by the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4): texts that
#: differ little get slots far apart.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
#: No text has these bytes.
_NONE = np.iinfo(np.uint64).max

_FEED, _QUOTE = b'\n"'
#: Of a word, the bytes that belong to a field of that length.
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(WORD + 1)], np.uint64)
#: Fields that are compared are seldom longer; names never are, see `fields`.
_MAX_COMPARED = 64
#: Behind a text, so that a word can be taken anywhere.
_MARGIN = bytes(_MAX_COMPARED + WORD)
#: Above this, a sum of products might not fit into 64 bits.
_MAX_SUM = 1 << 62


def scan_csv(text: str, delimiter: str, width: int, *, first: int = 1) -> "ScannedRecords | None":
    """The records of a text in whole lines; None if anything in it is unusual."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    if not data or width < 2 or not delimiter.isascii() or 0 in data:
        return None
    characters = np.frombuffer(data + _MARGIN, np.uint8)
    marks = _Separators.find(characters, ord(delimiter), quoted=_QUOTE in data)
    if marks is None or marks.longest_record() > field_size_limit():
        return None
    return ScannedRecords(text, data, characters, marks, width, first)


@frozen(eq=False)
class _Separators:
    """The positions of the separators in a text.

    Attributes:
        breaks: which of the ends of fields are the last of their record, by index.
        feeds: where lines end, within quotes too.
        doubled: quotes within a field, of which two stand for one.
    """

    ends: Places
    breaks: Places
    feeds: Places
    quoted: bool
    doubled: Places

    @classmethod
    def find(cls, characters: Bytes, delimiter: int, *, quoted: bool) -> "_Separators | None":
        """The marks of a text; None if a quote is where none should be."""
        is_separator = (characters == delimiter) | (characters == _FEED)
        places = np.flatnonzero(is_separator | (characters == _QUOTE) if quoted else is_separator)
        kinds = characters[places]
        feeds = places[kinds == _FEED]
        if not quoted:
            return cls(places, np.flatnonzero(kinds == _FEED), feeds, quoted, places[:0])
        are_quotes = kinds == _QUOTE
        doubled = _doubled(characters, places[are_quotes], delimiter)
        if doubled is None:
            return None
        # Between an odd quote and an even one, nothing ends.
        counts = (np.bitwise_xor.accumulate(are_quotes.view(np.uint8)) == 0) & ~are_quotes
        return cls(places[counts], np.flatnonzero(kinds[counts] == _FEED), feeds, quoted, doubled)

    def longest_record(self) -> int:
        """Bytes of the longest record; no field of it is longer."""
        places = self.ends[self.breaks]
        return max(int(places[0]), int(np.diff(places).max(initial=0)))

    @property
    def begins(self) -> Places:
        """Which fields are the first of their record, by index."""
        return np.concatenate(([0], self.breaks[:-1] + 1))

    def columns_of(self, places: Places) -> set[int]:
        """The columns in which some places lie."""
        fields = np.searchsorted(self.ends, places)
        return set((fields - self.begins[np.searchsorted(self.breaks, fields)]).tolist())


def _doubled(characters: Bytes, quotes: Places, delimiter: int) -> Places | None:
    opening, closing = quotes[::2], quotes[1::2]
    before, after = characters[opening - 1], characters[closing + 1]
    begins = (opening == 0) | (before == delimiter) | (before == _FEED) | (before == _QUOTE)
    doubled = after == _QUOTE
    ends = doubled | (after == delimiter) | (after == _FEED)
    return closing[doubled] if len(opening) == len(closing) and begins.all() and ends.all() else None


class ScannedRecords(TextRows):
    """The fields of many records, by where they begin and end."""

    def __init__(
        self, text: str, data: bytes, characters: Bytes, marks: _Separators, width: int, first: int
    ) -> None:
        self._text = text if len(text) == len(data) else None
        self._data, self._characters, self._marks, self._first = data, characters, marks, first
        self.lines = len(marks.feeds)
        self._words = np.ndarray((len(data) + _MAX_COMPARED,), f"V{WORD}", characters, 0, (1,))
        #: Where each field ends, after the end of none.
        self._edges = np.concatenate(([-1], marks.ends))
        begins = marks.begins
        fits = marks.breaks - begins == width - 1
        #: The fields with which records begin, by index; all of them by a stride, which is quicker.
        self._rows: slice | Places = slice(None, None, width) if fits.all() else begins[fits]
        self._escaped_columns = marks.columns_of(marks.doubled) if marks.doubled.size else set()
        self.bad = [] if fits.all() else self._wrong_width(begins[~fits])

    def _wrong_width(self, begins: Places) -> list[tuple[int, str]]:
        filled = begins[self._characters[self._edges[begins] + 1] != _FEED]
        lines = np.searchsorted(self._marks.feeds, self._edges[filled] + 1)
        return [(at, "wrong number of columns") for at in lines.tolist()]

    def line(self, at: int) -> tuple[int, str]:
        """The number of a line by its index here, and the line."""
        feeds = self._marks.feeds
        begin = int(feeds[at - 1]) + 1 if at else 0
        return self._first + at, self._data[begin : int(feeds[at])].decode()

    def place(self, row: int) -> tuple[int, str]:
        """The number of the line on which a record begins, and the line."""
        begin = self._edges[:-1][self._rows][row] + 1
        return self.line(int(np.searchsorted(self._marks.feeds, begin)))

    def column(self, index: int) -> list[str]:
        """The texts of one column."""
        texts = self._texts(*self._span(index))
        return [text.replace('""', '"') for text in texts] if index in self._escaped_columns else texts

    def runs(
        self, key_columns: Sequence[int], amount_columns: Sequence[int], parser: AmountParser
    ) -> Iterator[Run]:
        """The lines, in runs; of those that only go on with one, no text is made."""
        spans = [self._span(index) for index in key_columns]
        amounts = self._amounts(amount_columns, parser)
        if (
            amounts is None
            or self._escaped_columns & {*key_columns, *amount_columns}
            or any(map(_is_long, spans))
        ):
            return super().runs(key_columns, amount_columns, parser)
        firsts = self._firsts(spans, len(amounts))
        texts = [self._texts(begins[firsts], ends[firsts]) for begins, ends in spans]
        lines = np.diff(firsts, append=len(amounts))
        totals, ups = (np.add.reduceat(values, firsts) for values in (amounts, np.maximum(amounts, 0)))
        return zip(zip(*texts, strict=True), lines.tolist(), totals.tolist(), ups.tolist(), strict=True)

    def _amounts(self, amount_columns: Sequence[int], parser: AmountParser) -> NDArray[np.int64] | None:
        """What each line comes to; None where there is none, or the sum of all might not fit into 64 bits."""
        factors = [
            self._values(*self._span(index), cache)
            for index, cache in zip(amount_columns, _lookup_caches(parser, len(amount_columns)), strict=True)
        ]
        bound = len(factors[0])
        for values in factors:
            bound *= max(1, -int(values.min(initial=0)), int(values.max(initial=0)))
        product: NDArray[np.int64] = factors[0] if len(factors) == 1 else factors[0] * factors[1]
        return product if 0 < bound < _MAX_SUM else None

    def _values(self, begins: Places, ends: Places, cache: "LookupCache") -> NDArray[np.int64]:
        lengths = ends - begins
        short = lengths <= WORD
        if short.all():
            return cache.look_up(self._word(begins, lengths))
        values = np.empty(len(begins), np.int64)
        values[short] = cache.look_up(self._word(begins[short], lengths[short]))
        values[~short] = cache.parse(self._texts(begins[~short], ends[~short]))
        return values

    def _firsts(self, spans: Sequence[tuple[Places, Places]], count: int) -> Places:
        """The rows that differ in some columns from the one before."""
        differ = np.zeros(count, bool)
        differ[0] = True
        for begins, ends in spans:
            for word in self._words_of(begins, ends - begins):
                differ[1:] |= word[1:] != word[:-1]
        return np.flatnonzero(differ)

    def _words_of(self, begins: Places, lengths: Places) -> Iterator[Words]:
        """All of some fields, eight bytes at a time."""
        longest = int(lengths.max())
        if longest >= WORD and longest == lengths.min():  # as dates are; the last two words may overlap
            for at in (*range(0, longest - WORD, WORD), longest - WORD):
                yield self._words[begins + at].view("<u8")
        else:
            for at in range(0, longest, WORD):
                yield self._word(begins + at, np.clip(lengths - at, 0, WORD))

    def _span(self, index: int) -> tuple[Places, Places]:
        """Where the fields of a column begin and end, without quotes around them."""
        begins, ends = self._edges[index:-1][self._rows] + 1, self._edges[index + 1 :][self._rows]
        if self._marks.quoted and (quoted := self._characters[begins] == _QUOTE).any():
            return begins + quoted, ends - quoted
        return begins, ends

    def _texts(self, begins: Places, ends: Places) -> list[str]:
        places = zip(begins.tolist(), ends.tolist(), strict=True)
        if (text := self._text) is not None:
            return [text[begin:end] for begin, end in places]
        data = self._data
        return [data[begin:end].decode() for begin, end in places]

    def _word(self, begins: Places, lengths: Places) -> Words:
        """Up to eight bytes from each place, as one number."""
        words: Words = self._words[begins].view("<u8") & _MASKS[lengths]
        return words


def _is_long(span: tuple[Places, Places]) -> bool:
    return bool((span[1] - span[0]).max(initial=0) > _MAX_COMPARED)


class LookupCache:
    """Values of texts of up to eight bytes, by these as a number.

    A parsed value stays in its slot until another text takes it.
    """

    def __init__(self, parser: MemoizedParser[int]) -> None:
        self._parser = parser
        self._words = np.full(1 << _BITS, _NONE)
        self._values = np.zeros(1 << _BITS, np.int64)

    def look_up(self, words: Words) -> NDArray[np.int64]:
        """The value of each; `UnreadableFieldError` if one cannot be parsed."""
        slots = words * _SPREAD >> _SHIFT
        missed = self._words[slots] != words
        if missed.any():
            self._learn(np.unique(words[missed]))
        values: NDArray[np.int64] = self._values[slots]
        if not missed.any():
            return values
        for at in np.flatnonzero(self._words[slots] != words).tolist():  # another has taken the slot
            values[at] = self._parser[_text(words[at])]
        return values

    def parse(self, texts: Sequence[str]) -> list[int]:
        """The values of longer texts; `UnreadableFieldError` if one cannot be parsed."""
        return [self._parser[text] for text in texts]

    def _learn(self, words: Words) -> None:
        values = [self._parser[_text(word)] for word in words]
        slots = words * _SPREAD >> _SHIFT
        self._words[slots], self._values[slots] = words, values


def _lookup_caches(parser: AmountParser, columns: int) -> tuple[LookupCache, ...]:
    """The caches of a parser for so many columns, for many short texts at once."""
    if columns not in parser.scanner_caches:
        parser.scanner_caches[columns] = tuple(map(LookupCache, parser.parsers(columns)))
    return parser.scanner_caches[columns]


def _text(word: np.uint64) -> str:
    data: bytes = word.astype("<u8").tobytes()
    return data.rstrip(b"\0").decode()
