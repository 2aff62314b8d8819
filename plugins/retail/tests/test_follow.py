"""A file that is followed across rotation and truncation, in every encoding, with its rejects."""

import json
import random
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sesame_retail import Order, Orders
from sesame_retail.files.mapping import FileFormat, FileMapping
from sesame_retail.files.tail import FileTail
from sesame_retail.order_store import OrderStore
from sesame_retail.upload import OrderSignals, follow_step

from sesame_sdk import Client, InvalidInputError, PartnerConfig, RejectsFile, SignalUploader, Skipped

HEADER = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
Follow = Callable[..., tuple[Decimal, list[Skipped]]]


def lines(start: int, stop: int) -> str:
    """Two equal lines an order."""
    return "".join(f"{n},1,2026-01-01 10:00:00,{n % 90}.5,c{n % 7}\n" * 2 for n in range(start, stop))


def worth(start: int, stop: int) -> Decimal:
    """What these orders come to."""
    return sum((2 * (Decimal(n % 90) + Decimal("0.5")) for n in range(start, stop)), Decimal(0))


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """Read all that is new in a file: the sum of its orders, and what is skipped."""

    def run(file: Path, reading: FileMapping | None = None) -> tuple[Decimal, list[Skipped]]:
        total, skipped = Decimal(0), list[Skipped]()
        with closing(OrderStore(tmp_path / "retail.sqlite")) as store:
            tail = FileTail(file, reading or FileMapping(), store)
            while step := tail.read_step(quiet=True):
                total += sum((order.total for order in step.changes.orders), Decimal(0))
                skipped += step.skipped
                tail.commit(step)
        return total, skipped

    return run


def test_the_rest_of_a_rotated_file_is_read_before_the_next(tmp_path: Path, follow: Follow) -> None:
    """Renamed between two looks, after more was written; nothing is lost or counted twice."""
    file = tmp_path / "feed.csv"
    file.write_text(HEADER + lines(0, 20))
    assert follow(file)[0] == worth(0, 20)
    with file.open("a") as out:
        out.write(lines(20, 30))
    file.rename(tmp_path / "feed.csv.1")
    file.write_text(HEADER + lines(30, 40))
    assert follow(file)[0] == worth(20, 40)
    assert follow(file)[0] == 0


def test_between_two_files_it_waits(tmp_path: Path, follow: Follow) -> None:
    """The old one is renamed, the new one is not there yet; a file that never was is an error."""
    file = tmp_path / "feed.csv"
    with pytest.raises(InvalidInputError, match="cannot be read"):
        follow(file)
    file.write_text(HEADER + lines(0, 2))
    follow(file)
    file.unlink()
    assert follow(file) == (0, [])


@pytest.mark.parametrize("with_copy", [True, False], ids=["copied before", "not copied"])
def test_a_truncated_file_is_read_from_its_beginning(with_copy: bool, tmp_path: Path, follow: Follow) -> None:
    """As logrotate's copytruncate leaves it, or after its owner emptied it."""
    file = tmp_path / "feed.csv"
    file.write_text(HEADER + lines(0, 20))
    follow(file)
    if with_copy:
        (tmp_path / "feed.csv.1").write_text(HEADER + lines(0, 25))
    file.write_text(HEADER + lines(25, 30))
    assert follow(file)[0] == worth(20 if with_copy else 25, 30)


def test_an_order_that_the_file_before_had_counts_once(tmp_path: Path, follow: Follow) -> None:
    """The same export, written anew with more lines under another header."""
    file = tmp_path / "feed.csv"
    file.write_text(HEADER + lines(0, 20))
    follow(file)
    file.write_text(f"Shop,{HEADER}" + "".join(f"s,{line}\n" for line in lines(0, 25).splitlines()))
    total, skipped = follow(file)
    assert total == worth(20, 25)
    assert {item.reason for item in skipped} == {"order that the file before had"}


def test_the_last_order_of_a_file_may_go_on_in_the_next(tmp_path: Path, follow: Follow) -> None:
    """Its two equal lines fall into two files; both count."""
    file = tmp_path / "feed.csv"
    first, second = lines(7, 8).splitlines(keepends=True)
    file.write_text(HEADER + lines(0, 7) + first)
    assert follow(file)[0] == worth(0, 7) + worth(7, 8) / 2
    file.rename(tmp_path / "feed.csv.1")
    file.write_text(HEADER + second + lines(8, 9))
    assert follow(file)[0] == worth(7, 8) / 2 + worth(8, 9)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_followed_in_every_encoding(encoding: str, end: str, tmp_path: Path) -> None:
    """Cut anywhere, within a character too, it gives the orders of the whole file."""
    text = HEADER + lines(0, 12) + "12,1,2026-01-01 10:00:00,1,Åsa\n" + '13,1,2026-01-01,1,"b\nc"\n'
    whole = text.replace("\n", end).encode(encoding)
    file, dice = tmp_path / "feed.csv", random.Random(3)  # noqa: S311 - not a secret
    plain = "utf-8" if encoding.startswith("utf") else encoding
    reading = FileMapping(file_format=FileFormat(encoding=plain))
    total, skipped, at = Decimal(0), list[Skipped](), 0
    with closing(OrderStore(tmp_path / "retail.sqlite")) as store:
        tail = FileTail(file, reading, store)
        while at < len(whole):
            at = min(at + dice.randrange(1, 150), len(whole))
            file.write_bytes(whole[:at])
            while step := tail.read_step(quiet=at == len(whole)):
                total += sum((order.total for order in step.changes.orders), Decimal(0))
                skipped += step.skipped
                tail.commit(step)
    assert total == worth(0, 12) + 1
    assert [(item.line, item.reason) for item in skipped] == [(27, "unreadable customer")]


def test_line_numbers_count_from_the_beginning_of_the_file(tmp_path: Path, follow: Follow) -> None:
    """However many parts the file is read in."""
    file = tmp_path / "feed.csv"
    file.write_text("Orders of May\n\n" + HEADER + lines(0, 5))
    follow(file)
    with file.open("a") as out:
        out.write(lines(5, 6) + "6,one,2026-01-01,1,ada\n")
    _, (rejected,) = follow(file)
    assert (rejected.line, rejected.column, rejected.form) == (16, "Quantity", "aaa")


def test_json_lines_are_followed(tmp_path: Path, follow: Follow) -> None:
    """A line that is not whole yet waits."""
    order = {"InvoiceNo": 1, "Quantity": 2, "InvoiceDate": "2026-01-01", "UnitPrice": 2.5, "CustomerID": 3.0}
    text = json.dumps(order) + "\n"
    file = tmp_path / "feed.jsonl"
    file.write_text(text + text.replace(": 1,", ": 2,")[:20])
    assert follow(file)[0] == 5
    file.write_text(text + text.replace(": 1,", ": 2,") + "[\n")
    total, (rejected,) = follow(file)
    assert (total, rejected.line, rejected.reason) == (5, 3, "unreadable line")


def test_a_reject_is_on_disk_before_the_position_moves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stops between the two finds its line in the file of rejects, and reads it again."""
    shop = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
    file, path = tmp_path / "feed.csv", tmp_path / "rejects"
    file.write_text(HEADER + lines(0, 5) + "1,bad\n")
    found = list[str]()
    monkeypatch.setattr(FileTail, "commit", lambda _self, _step: found.append(path.read_text()))
    with (
        closing(OrderStore(shop.path / "retail.sqlite")) as store,
        Client.from_config(shop) as client,
        RejectsFile(path, append=True) as rejects,
    ):
        uploader = SignalUploader(client, reject=rejects.write)
        signals = OrderSignals(Orders(), shop.pseudonymizer, uploader.summary)
        for _ in range(2):
            follow_step(FileTail(file, FileMapping(), store), uploader, signals, rejects, quiet=True)
    line = "12\twrong number of columns\t\t\t1,bad\n"
    assert found == [line, 2 * line]
    assert path.stat().st_mode & 0o077 == 0


def test_too_many_rejects_stop_a_file_that_is_followed(tmp_path: Path) -> None:
    """More than one line in a hundred: nothing of the part is stored."""
    shop = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
    file = tmp_path / "feed.csv"
    file.write_text(HEADER + lines(0, 60) + "1,bad\n2,bad\n")
    with closing(OrderStore(shop.path / "retail.sqlite")) as store, Client.from_config(shop) as client:
        uploader = SignalUploader(client)
        signals = OrderSignals(Orders(max_rejects=1), shop.pseudonymizer, uploader.summary)
        with pytest.raises(InvalidInputError, match="2 of 122 lines cannot be read"):
            follow_step(
                FileTail(file, FileMapping(), store),
                uploader,
                signals,
                RejectsFile(tmp_path / "r"),
                quiet=True,
            )
        assert client.counts().pending == 0
    assert uploader.summary.signals == {}


def test_parquet_cannot_be_followed(tmp_path: Path) -> None:
    """Its end is written last; an order of one file is read whole."""
    with (
        closing(OrderStore(tmp_path / "retail.sqlite")) as store,
        pytest.raises(InvalidInputError, match="followed"),
    ):
        FileTail(tmp_path / "o.parquet", FileMapping(), store)


def test_a_month_of_tenure_is_one_of_the_shops_calendar(tmp_path: Path) -> None:
    """Half past eight on the first of June in Auckland is still May in UTC."""
    (tmp_path / "o.csv").write_text(HEADER + "1,1,2026-06-01 08:30,5,ada\n2,1,2026-06-30 23:30,5,ada\n")
    shop = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
    orders = Orders(file_format=FileFormat(time_zone="Pacific/Auckland"))
    tenures = {
        signal
        for order in orders.read(tmp_path / "o.csv")
        if isinstance(order, Order)
        for signal in orders.signals(order, shop.pseudonymizer)
        if not isinstance(signal, Skipped) and signal.kind == "retail.customer.tenure"
    }
    (tenure,) = tenures
    assert f"{tenure.occurred_at:%Y-%m-%d %H:%M}" == "2026-05-31 12:00"
