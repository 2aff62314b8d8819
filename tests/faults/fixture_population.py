"""A population of people, the shop that sends signals about them, and a hub: the same for every fault.

All of it is made once a run, and copied. What number n says is always the same, so that a process that was
killed goes on from any number.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from attrs import define, field

from sesame_sdk import Grant, Policy, Pseudonymizer, Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.signing.keys import SigningKey
from tests.faults.oracle import Ledger, read_ledger
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, ORDER, Partner, manifest, policy, weighting

SHOP = "https://shop.example"
BATCH = 1000
#: Scores are computed for this day, so that a run over midnight compares like with like.
DAY = date(2025, 6, 2)
_SIGNALS_END = datetime(2025, 6, 1, 12, tzinfo=UTC)
_MANY = 300
PSEUDONYMIZER = Pseudonymizer(b"thirty-two bytes of test secret.")
PEOPLE = [f"p{number}" for number in range(_MANY)]
PSEUDONYMS = [PSEUDONYMIZER.pseudonym(f"{SHOP}/{person}") for person in PEOPLE]


def signals(start: int, stop: int) -> Iterator[Signal]:
    """What the shop says under these numbers."""
    for number in range(start, stop):
        kind = LATE if number % 7 == 3 else ORDER
        at = _SIGNALS_END - timedelta(minutes=number * 13 % 150_000)
        key = PSEUDONYMIZER.signal_id(kind, str(number), at)
        yield Signal(key, PSEUDONYMS[number * 7919 % _MANY], kind, 0.25 * (number % 5 + 1), at)


def weights() -> Policy:
    """By which no score of these signals ever comes to its cap: each signal shows."""
    more = {"half_life_days": 60.0, "expires_days": 365.0}
    return policy(
        weighting(ORDERS, weight=0.05, cap=440.0, partner_cap=440.0, **more),
        weighting(LATES, weight=-0.03, floor=-150.0, cap=0.0, **more),
    )


@define
class Population:
    """What hubs and clients of one run share.

    Attributes:
        folder: for what is made once.
        url: of every hub, one after another.
        port: the same.
    """

    folder: Path
    port: int
    key: SigningKey = field(factory=SigningKey.generate)
    _expected: dict[tuple[int, tuple[str, ...]], Ledger] = field(factory=dict)

    @property
    def url(self) -> str:
        """The issuer of every hub here."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def key_path(self) -> Path:
        """The shop's key, for processes of its own."""
        return self.folder / "shop.jwk"

    def create(self, path: Path, database: str) -> None:
        """Make a hub in a new folder, over an empty database, that knows the shop and all people."""
        create_hub(path, issuer=self.url, database=database, as_of=DAY)
        with Hub.open(path) as hub:
            hub.add_partner(SHOP, [self.key.public_jwk], not_before=LONG_AGO)
            shop = self.shop(hub)
            shop.register(manifest(ORDERS, LATES, reads=["retail"]))
            hub.set_policy(weights())
            hub.add_grants(pair for person in PEOPLE for pair in self.consents(shop, person))

    def shop(self, hub: Hub, clock: Callable[[], datetime] = timestamps.utc_now) -> Partner:
        """The shop, as it speaks to an open hub."""
        return Partner(SHOP, hub, clock, self.key, PSEUDONYMIZER)

    def consents(self, shop: Partner, person: str, **terms: datetime) -> list[tuple[str, Grant]]:
        """The grants of each person: to send, and to read."""
        return shop.grants(person, ORDER, LATE, reads="retail", **{"given_at": LONG_AGO, **terms})

    def expected(self, count: int, further: Sequence[Signal] = ()) -> Ledger:
        """The ledger of a hub that got the first `count` signals and `further`, without any fault."""
        key = (count, tuple(signal.id for signal in further))
        if key not in self._expected:
            path = self.folder / f"expected-{len(self._expected)}"
            create_hub(path, issuer=self.url, as_of=DAY)
            shutil.copy(self.folder / "template" / "hub.sqlite", path)
            with Hub.open(path) as hub:
                shop = self.shop(hub)
                for batch in batches([*signals(0, count), *further]):
                    assert shop.send(*batch).accepted == len(batch)
            self._expected[key] = read_ledger(path)
            shutil.rmtree(path)
        return self._expected[key]


def batches(items: Sequence[Signal]) -> Iterable[Sequence[Signal]]:
    """As many as an envelope holds, one after the other."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
