"""Erased people looked for in the raw bytes: the database's files and its log, exports, the hub's own log.

First every needle is found, so that the search is one that can find; then none is. Each test has a
PostgreSQL of its own: others' writing would stand in the same files.
"""

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import requests
from attrs import frozen

from sesame_sdk import Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.notices import sign_notices_token
from sesame_sdk.signing.keys import SigningKey
from tests import postgresql as servers
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import (
    LATE,
    LONG_AGO,
    NOON,
    ORDER,
    Clock,
    Partner,
    manifest,
    new_hub,
    policy,
    weighting,
)
from tests.hub.ledger import change
from tests.hub.process import free_port, serving
from tests.hub.rights.conftest import Export
from tests.hub.rights.test_notices import poll
from tests.hub.test_stream_contents import Reader

pytestmark = pytest.mark.long

ADA = "ada-whose-traces-are-looked-for"
REASON, STATEMENT = "an invoice that i never had from them", "no clerk there would listen to me"
MANY = [f"neighbour {number}" for number in range(150)]
Needles = dict[str, tuple[bytes, ...]]
_BLOCK = 8192  # of PostgreSQL
_EMPTY = bytes(_BLOCK)
#: PostgreSQL compresses long values, and a search of its files would miss them for that alone.
_UNPACKED = """
DO $$ DECLARE it record; BEGIN
  FOR it IN SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type IN ('bytea', 'text', 'json', 'character varying')
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STORAGE EXTERNAL', it.table_name, it.column_name);
  END LOOP;
END $$"""


def in_base64(raw: bytes) -> tuple[bytes, ...]:
    """The forms of `raw` within base64url, by its offset in a group of three bytes."""
    spellings = []
    for before in range(3):
        text = base64.urlsafe_b64encode(b"\0" * before + raw).rstrip(b"=")
        whole = (before + len(raw)) * 8 // 6
        spellings.append(text[-(-before * 8 // 6) : whole])
    return tuple(spellings)


def text(plain: str) -> tuple[bytes, ...]:
    """Plain, and in base64url."""
    return (plain.encode(), *in_base64(plain.encode()))


def of_signals(signals: list[Signal]) -> Needles:
    """Ids as text and as sixteen bytes; values and times as the row has them, on either product."""
    needles: Needles = {}
    for place, signal in enumerate(signals):
        to_micros = timestamps.to_micros(signal.occurred_at)
        needles |= {
            f"id {place}": (UUID(signal.id).bytes, *text(signal.id)),
            f"value {place}": (struct.pack(">d", signal.value), struct.pack("<d", signal.value)),
            f"written value {place}": text(repr(signal.value)),
            f"time {place}": (to_micros.to_bytes(8, "big"), to_micros.to_bytes(8, "little")),
        }
    return needles


def needles_in(needles: Needles, hay: bytes) -> set[str]:
    """Those needles of which some spelling is there."""
    return {name for name, spellings in needles.items() if any(one in hay for one in spellings)}


def files(*folders: Path) -> bytes:
    """Every byte of every file in the folders, but for blocks that are empty."""
    paths = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return b"\n".join(block for file in paths for block in _blocks(file.read_bytes()) if block.strip(b"\0"))


def _blocks(content: bytes) -> Iterator[bytes]:
    """Runs of blocks between empty ones: a log's file is mostly empty, and searching it takes long."""
    begin = 0
    for end in range(0, len(content), _BLOCK):
        if content[end : end + _BLOCK] == _EMPTY:
            yield content[begin:end]
            begin = end + _BLOCK
    yield content[begin:]


@frozen
class Ledger:
    """Where a hub keeps its ledger: a URL, and the folder of the server if there is one."""

    url: str
    server: Path | None = None


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A new one on each database product in turn. PostgreSQL writes to the disk as it does in production."""
    if request.param == "sqlite":
        yield Ledger("sqlite:///hub.sqlite")
        return
    with servers.running() as server:
        yield Ledger(server.url(server.create()), server.folder)


@pytest.fixture
def database(ledger: Ledger) -> str:
    """In place of a database in the server that all tests share."""
    return ledger.url


@pytest.fixture
def on_disk(hub_path: Path, ledger: Ledger) -> Callable[[], bytes]:
    """Every byte that the hub and its database have on disk."""
    return lambda: files(hub_path, *([ledger.server] if ledger.server else []))


@frozen
class Left:
    """Ada's life at a hub full of others, and the needles that it left."""

    shop: Partner
    site: Partner
    needles: Needles
    erased: Callable[[], None]


def orders(shop: Partner, number: int, at: datetime) -> Iterator[Signal]:
    """An envelope's worth: everybody buys, and their rows push ada's from page to page."""
    for person in MANY:
        yield shop.signal(person, f"{person} {number}", at=at)


@pytest.fixture
def left(hub: Hub, shop: Partner, clock: Clock, hub_path: Path, ledger: Ledger) -> Left:
    """The hub holds every possible record of ada."""
    if ledger.server:
        change(hub_path, _UNPACKED)
    site = Partner.join("https://site.example", hub, clock, ORDERS, LATES, reads=["retail"])
    for person in (ADA, *MANY):
        hub.add_grants(shop.grants(person, ORDER, LATE, reads="retail"))
    hub.add_grants(site.grants(ADA, ORDER, reads="retail"))
    stream = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    stream.take()
    mine = []
    for number in range(12):
        at = NOON - timedelta(days=number, microseconds=617 + number)
        mine.append(shop.signal(ADA, str(number), value=1234.5678 + number, at=at))
        shop.send(*orders(shop, number, NOON - timedelta(days=number)), mine[-1])
    late = shop.signal(ADA, "late", LATE, value=98.7654, at=NOON - timedelta(microseconds=919))
    then = NOON - timedelta(days=1, microseconds=7)
    clear = [shop.signal(ADA, "clear", value=77.1357, at=then), shop.signal(MANY[0], "not hers")]
    shop.send(late)
    hub.receive(shop.token(EventType.SIGNALS, {"signals": clear}))
    alone = site.signal(ADA, "there", value=5.4321, at=then - timedelta(hours=1))
    site.send(alone)
    again = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [again.key.public_jwk], not_before=LONG_AGO)
    again.send(*mine, late)
    mine += [late, clear[0], alone]
    stream.take()
    hub.rights.open_dispute(ADA, shop.issuer, late.id, REASON)
    hub.rights.set_statement(1, STATEMENT)
    hub.streams.rescore_pending()
    shop.read(ADA, MANY[0])
    hub.withdraw_grants(ADA, shop.issuer)
    shop.send(*mine[:5], *orders(shop, 99, NOON))  # dropped, by ids that were kept before
    needles = of_signals(mine) | {
        "reference": text(ADA),
        "pseudonym at the shop": text(shop.pseudonym(ADA)),
        "pseudonym at the site": text(site.pseudonym(ADA)),
        "reason": text(REASON),
        "statement": text(STATEMENT),
    }
    return Left(shop, site, needles, lambda: stream.take() and None)


def test_nothing_of_an_erased_person_is_left_in_the_files(
    left: Left, hub: Hub, on_disk: Callable[[], bytes], export: Export
) -> None:
    """In none, in any encoding, once the partners are notified; until then their pseudonyms alone."""
    assert needles_in(left.needles, on_disk()) == left.needles.keys()
    before = len(export(MANY[0])["signals"])
    hub.rights.erase(ADA)
    hub.rights.vacuum()
    assert needles_in(left.needles, on_disk()) == {"pseudonym at the shop", "pseudonym at the site"}
    for partner in (left.shop, left.site):
        assert poll(partner, *poll(partner)) == {}
    left.erased()
    hub.rights.vacuum()
    assert needles_in(left.needles, on_disk()) == set()
    assert needles_in(left.needles, repr(export(MANY[0])).encode()) == set()
    assert len(export(MANY[0])["signals"]) == before
    assert hub.rebuild().signals == len(MANY) * 13 + 1


def test_what_the_partner_goes_on_sending_of_an_erased_person_leaves_nothing(
    left: Left, hub: Hub, on_disk: Callable[[], bytes]
) -> None:
    """The same orders exported anew, in new envelopes, and the message of before once more."""
    body = left.shop.seal(
        *(left.shop.signal(ADA, str(number), value=1234.5678 + number) for number in range(9))
    )
    hub.receive(body)
    hub.rights.erase(ADA)
    receipt = hub.receive(body)
    assert left.shop.read_receipt(receipt).dropped
    left.shop.send(*(left.shop.signal(ADA, str(number)) for number in range(9)))
    poll(left.shop, *poll(left.shop))
    poll(left.site, *poll(left.site))
    left.erased()
    hub.rights.vacuum()
    assert needles_in(left.needles, on_disk()) == set()


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_before_the_files_are_written_anew_most_of_what_was_deleted_is_overwritten(
    left: Left, hub: Hub, on_disk: Callable[[], bytes]
) -> None:
    """By the erasure itself: what a scrub adds are the few copies that pages keep of rows that moved."""
    hub.rights.erase(ADA)
    hub.close()
    assert len(needles_in(left.needles, on_disk())) < len(left.needles) / 10


def test_a_serving_hub_logs_nothing_of_a_person(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Sent, read, disputed, notified, erased and sent again over HTTP, with an operator beside it."""
    port = free_port()
    path = new_hub(tmp_path / "hub", issuer=f"http://127.0.0.1:{port}")
    with Hub.open(path) as hub:
        shop = Partner("https://shop.example", hub, timestamps.utc_now)
        hub.add_partner(shop.issuer, [shop.key.public_jwk], not_before=LONG_AGO)
        shop.register(manifest(ORDERS, LATES, reads=["retail"]))
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        yesterday = timestamps.utc_now() - timedelta(days=1)
        hub.add_grants(shop.grants(ADA, ORDER, reads="retail", given_at=yesterday))
        signal = shop.signal(ADA, "1", value=1234.5678, at=yesterday)
        with serving(path, port):
            url = f"http://127.0.0.1:{port}"
            _post(url, shop, signal)
            who = {"subjects": [shop.pseudonym(ADA)]}
            token = {"Authorization": f"Bearer {shop.read_token().decode()}"}
            answer = requests.post(f"{url}/v1/scores/read", json=who, headers=token, timeout=30)
            assert answer.json()["scores"][shop.pseudonym(ADA)]
            hub.rights.open_dispute(ADA, shop.issuer, signal.id, REASON)
            assert len(_notices(url, shop)) == 1
            hub.rights.erase(ADA)
            (jti,) = _notices(url, shop)
            _post(url, shop, signal)
            assert _notices(url, shop, jti) == {}
        hub.rights.vacuum()
    needles = of_signals([signal]) | {
        "reference": text(ADA),
        "pseudonym": text(shop.pseudonym(ADA)),
        "reason": text(REASON),
    }
    output = "".join(capfd.readouterr())
    assert "/v1/notices/poll" in output
    assert needles_in(needles, output.encode()) == set()
    assert needles_in(needles, files(path)) == set()


def _post(url: str, shop: Partner, *signals: Signal) -> None:
    headers = {"Content-Type": "application/secevent+jwt"}
    done = requests.post(f"{url}/v1/events", data=shop.seal(*signals), headers=headers, timeout=30)
    assert done.status_code == 202


def _notices(url: str, shop: Partner, *ack: str) -> dict[str, str]:
    token = sign_notices_token(shop.key, issuer=shop.issuer, audience=url, now=timestamps.utc_now())
    headers = {"Authorization": f"Bearer {token.decode()}"}
    asked = {"ack": ack, "returnImmediately": True}
    response = requests.post(f"{url}/v1/notices/poll", json=asked, headers=headers, timeout=30)
    sets: dict[str, str] = response.json()["sets"]
    return sets
