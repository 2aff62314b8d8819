"""A file that grows, read as it does, from where it was left: after ``kill -9`` too.

Rules:
1. What will be read is written down before it is told, and that it was told after. So the same bytes are
   taken again after a crash, and give the same signals under the same ids: nothing counts twice.
2. The last invoice of what is there waits until another follows it, or the file has been quiet for a
   while: its lines may still be coming. Lines that come later than that add to their order.
3. A file that shrank, or that begins differently, is another file: it is refused, not guessed at.
"""

from collections.abc import Iterator
from pathlib import Path

from attrs import define

from sesame_retail.files import csv_reader, order_files
from sesame_retail.files.compression import PACKED, told
from sesame_retail.files.mapping import Deed, MappingMode
from sesame_retail.grouping.invoice_buffer import Entry, Key
from sesame_retail.grouping.line_grouping import Grouping, Layout
from sesame_retail.money import as_decimal, in_currency
from sesame_retail.webhooks.order_state import OrderUpdate
from sesame_retail.webhooks.order_store import Book, Page, Place
from sesame_sdk import InvalidInputError, Skipped

#: Bytes taken at a time.
STEP = 1 << 22
_HEAD = 1 << 10


@define
class Step:
    """A piece of the feed.

    Attributes:
        page: what it comes to.
        kept_back: what of it stays in the shop.
        place: where the feed stands once it was told.
    """

    page: Page
    kept_back: list[Skipped]
    place: Place


@define
class FileTail:
    """Reads a growing CSV or JSON-lines file.

    Args:
        path: the file; not packed.
        reading: how the shop writes.
        book: what is remembered of orders, and of the file.
    """

    path: Path
    reading: MappingMode
    book: Book

    def __attrs_post_init__(self) -> None:
        if PACKED & set(self.path.suffixes) or order_files.PARQUET & set(self.path.suffixes):
            raise InvalidInputError(
                "cannot be followed", field=self.path.name, hint="follow the plain CSV or JSON lines"
            )

    @property
    def name(self) -> str:
        """What the book calls the feed."""
        return str(self.path.absolute())

    def step(self, *, quiet: bool) -> Step | None:
        """Read on; None where there is nothing to read yet.

        Args:
            quiet: the file has not grown for a while: its last invoice is whole.

        Raises:
            InvalidInputError: it is not the file that it was, or not a file of orders.
        """
        place = self.book.place(self.name)
        with told(self.path), self.path.open("rb") as file:
            head = file.read(_HEAD)
            self._check(head, place)
            again = place.until > place.position
            file.seek(place.position)
            data = file.read(place.until - place.position if again else STEP)
            file.seek(0)
            header = file.readline(csv_reader.MOST_RECORD) if place.position else b""
        text = self._text(data) if again else self._whole(self._text(data), quiet=quiet)
        if not text:
            return None
        end = place.position + len(text.encode(self._encoding, "surrogateescape"))
        place = Place(place.position, end, place.head or head[:end])
        self.book.keep(Page(), feed=self.name, place=place)
        return self._told(header, text, place)

    def done(self, step: Step) -> None:
        """A step was told, and is in the outbox."""
        place = step.place
        self.book.keep(step.page, feed=self.name, place=Place(place.until, place.until, place.head))

    @property
    def _encoding(self) -> str:
        # The mark at the beginning of a file is read as a part of the header's first name otherwise.
        return "utf-8" if self.reading.form.encoding == "utf-8-sig" else self.reading.form.encoding

    def _text(self, data: bytes) -> str:
        if len(data) == STEP and b"\n" not in data:
            raise InvalidInputError(f"holds a line of more than {STEP} bytes", field=self.path.name)
        return data[: data.rfind(b"\n") + 1].decode(self._encoding, "surrogateescape")

    def _check(self, head: bytes, place: Place) -> None:
        if not head.startswith(place.head) or self.path.stat().st_size < place.position:
            raise InvalidInputError(
                "is not the file that was followed under this name", field=self.path.name, hint="rename it"
            )

    def _whole(self, text: str, *, quiet: bool) -> str:
        """The text up to its last invoice, unless that is whole."""
        if quiet or not text or self._json:
            return text
        lines = text.splitlines(keepends=True)
        while lines and "".join(lines).count('"') % 2:
            lines.pop()  # a quoted field goes on
        if not lines:
            return ""
        delimiter = self.reading.form.delimiter
        at = self._number_at()
        last = lines[-1].split(delimiter)[at : at + 1]
        end = len(lines)
        while end and lines[end - 1].split(delimiter)[at : at + 1] == last:
            end -= 1
        return "".join(lines[:end])

    def _number_at(self) -> int:
        with self.path.open("rb") as file:
            header = file.readline(csv_reader.MOST_RECORD).decode("utf-8-sig", "surrogateescape")
        names = [name.strip().strip('"') for name in header.split(self.reading.form.delimiter)]
        called = self.reading.columns.number
        return names.index(called) if called in names else 0

    def _takes_back(self, number: str) -> bool:
        prefix = self.reading.cancelled_prefix
        return bool(prefix) and number.startswith(prefix)

    @property
    def _json(self) -> bool:
        return bool(order_files.JSON & set(self.path.suffixes))

    def _told(self, header: bytes, text: str, place: Place) -> Step:
        grouping = Grouping(self.reading)
        if self._json:
            kept = list(order_files.take_json(grouping, text.split("\n")[:-1], 1, self.reading.columns))
        else:
            begin = header.decode(self._encoding, "surrogateescape")
            file = csv_reader.Delimited(
                [csv_reader.ended((begin + text).removeprefix("\ufeff"))], self.reading.form.delimiter
            )
            layout = Layout.of(file.header, self.reading.columns)
            kept = [one for block in file.blocks() for one in order_files.take(grouping, layout, block)]
        news = [one for key, entry in grouping.entries.all() for one in self._news(key, entry, place)]
        kept += [one for one in news if isinstance(one, Skipped)]
        return Step(self.book.settle(one for one in news if isinstance(one, OrderUpdate)), kept, place)

    def _news(self, key: Key, entry: Entry, place: Place) -> Iterator[OrderUpdate | Skipped]:
        number, deed, date = key
        currencies = self.reading.form.currencies
        worth, up = (currencies.convert(parts, entry.currency) for parts in (entry.total, entry.up))
        unit = currencies.unit(entry.currency) or ""
        reason = entry.fault or ("another currency" if worth is None else "")
        if not reason and entry.customer is None:
            reason = "no customer"
        free = deed == Deed.ORDER and self._takes_back(number)
        if not reason and deed == Deed.ORDER and worth is not None and not free and worth < 0:
            reason = "order below zero"
        if reason or worth is None or up is None:
            yield Skipped(in_currency(reason, unit) if unit else reason, entry.lines, as_decimal(worth or 0))
            return
        order = entry.refers or number
        own = f"{number} {date or place.position} {deed}"
        if deed == Deed.ORDER and not free:
            late = self.book.has(f"order {number}")
            yield OrderUpdate(
                number,
                own if late else f"order {number}",
                entry.placed_at,
                entry.customer,
                places=not late,
                stated=0 if late else worth,
                added=worth if late else 0,
                lines=entry.lines,
                currency=unit,
            )
            return
        back = max(-worth, 0) if free else abs(worth) if deed == Deed.RETURN else up - worth
        yield OrderUpdate(
            order if not free else number,
            number if free and not self.book.has(number) else own,
            entry.placed_at,
            entry.customer,
            added=up if deed in (Deed.CORRECTION, Deed.EXCHANGE) else 0,
            back=0 if deed == Deed.CANCEL else back,
            cancels=deed == Deed.CANCEL,
            lines=entry.lines,
            currency=unit,
        )
