"""Whatever happened: a rebuild gives the same rows and the same scores, and the erased are nowhere."""

from itertools import count
from typing import Any

import pytest
from attrs import define, field
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.dispute_model import Dispute
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.explanation import Explanation
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, ORDER, Clock, Partner
from tests.hub.rights.test_erasure import everything, replayed, subjects

pytestmark = pytest.mark.long

NAMES, KEYS = ("ada", "bob", "eve"), range(4)
DESK, HEAD = "disputes desk", "head of fairness"
SENT = st.tuples(st.sampled_from(NAMES), st.sampled_from(KEYS), st.sampled_from([ORDER, LATE]))
WHO, WHICH = st.sampled_from(NAMES), st.integers(0, 9)
DEEDS = st.one_of(
    st.tuples(st.just("grant"), WHO, WHICH),
    st.tuples(st.just("withdraw"), WHO, WHICH),
    st.tuples(
        st.sampled_from(["send", "send", "send in the clear", "send by the new key"]),
        st.lists(SENT, min_size=1, max_size=6),
    ),
    st.tuples(st.just("send again"), WHICH),
    st.tuples(st.just("revoke the new key")),
    st.tuples(st.just("dispute"), WHICH),
    st.tuples(st.sampled_from(["uphold", "reject", "ask review", "overturn", "confirm"]), WHICH),
    st.tuples(st.just("erase"), WHO),
    st.tuples(st.just("advance"), st.integers(1, 40)),
)
_numbers = count()


@define
class History:
    """People of one example, and what is done to them. What cannot be done is refused, and leaves no mark."""

    hub: Hub
    shop: Partner
    twin: Partner
    clock: Clock
    number: int = field(factory=lambda: next(_numbers))
    new: SigningKey = field(factory=SigningKey.generate)
    bodies: list[bytes] = field(factory=list)
    sent: list[tuple[str, str]] = field(factory=list)
    gone: set[str] = field(factory=set)

    def person(self, name: str) -> str:
        """Another one in each example."""
        return f"{name} {self.number}"

    def do(self, deed: tuple[Any, ...]) -> None:
        """Do it, if it can be done."""
        name, *how = deed
        try:
            getattr(self, name.replace(" ", "_"))(*how)
        except InvalidInputError:
            return
        event(name)

    def grant(self, who: str, which: int) -> None:
        """To one of two partners, or both."""
        for partner in (self.shop, self.twin)[which % 2 :]:
            given = partner.grants(self.person(who), ORDER, LATE, reads="retail", given_at=self.clock.now)
            self.hub.add_grants(given)
        self.gone.discard(self.person(who))

    def withdraw(self, who: str, which: int) -> None:
        """From one of them."""
        self.hub.withdraw_grants(self.person(who), (self.shop, self.twin)[which % 2].issuer)

    def send(self, signals: list[tuple[str, int, str]]) -> None:
        """In an envelope."""
        self._send(self.shop, signals)

    def send_by_the_new_key(self, signals: list[tuple[str, int, str]]) -> None:
        """The same signals perhaps, under another key."""
        self._send(self.shop.with_key(self.new), signals)

    def send_in_the_clear(self, signals: list[tuple[str, int, str]]) -> None:
        """As other software does; by the other partner."""
        body = self.twin.token(EventType.SIGNALS, {"signals": self._signals(self.twin, signals)})
        self.bodies.append(body)
        self.hub.receive(body)

    def send_again(self, which: int) -> None:
        """The very message of before."""
        if self.bodies:
            self.hub.receive(self.bodies[which % len(self.bodies)])

    def revoke_the_new_key(self) -> None:
        """All that it signed falls; another takes its place."""
        self.hub.revoke_key(self.new.kid, LONG_AGO, issuer=self.shop.issuer)
        self._admit_new_key()

    def dispute(self, which: int) -> None:
        """One of the signals that were sent."""
        if self.sent:
            person, signal = self.sent[which % len(self.sent)]
            self.hub.rights.open_dispute(person, self.shop.issuer, signal, "it was not like that")

    def uphold(self, which: int) -> None:
        """One of the disputes that there are."""
        self.hub.rights.decide(self._dispute(which).number, upheld=True, by=DESK, reason="so it is")

    def reject(self, which: int) -> None:
        """The other decision."""
        self.hub.rights.decide(self._dispute(which).number, upheld=False, by=DESK, reason="so it is not")

    def ask_review(self, which: int) -> None:
        """Of a decision."""
        self.hub.rights.request_review(self._dispute(which).number)

    def overturn(self, which: int) -> None:
        """The person is right after all."""
        self.hub.rights.record_review(self._dispute(which).number, overturned=True, by=HEAD, reason="it is")

    def confirm(self, which: int) -> None:
        """The person is not."""
        self.hub.rights.record_review(
            self._dispute(which).number, overturned=False, by=HEAD, reason="it is not"
        )

    def erase(self, who: str) -> None:
        """For good, unless the person joins anew."""
        self.hub.rights.erase(self.person(who))
        self.gone.add(self.person(who))

    def advance(self, days: int) -> None:
        """Time."""
        self.clock.advance(days=days)

    def scores(self) -> dict[str, Explanation | None]:
        """Of everybody, with every reason."""
        return {name: self.hub.explain(self.person(name), "retail") for name in NAMES}

    def names_of_the_gone(self) -> set[str]:
        """What partners called those who were erased."""
        return {partner.pseudonym(person) for person in self.gone for partner in (self.shop, self.twin)}

    def _dispute(self, which: int) -> Dispute:
        mine = [one for one in self.hub.rights.list_disputes() if one.person.endswith(f" {self.number}")]
        if not mine:
            raise InvalidInputError("there is none", field="dispute")
        return mine[which % len(mine)]

    def _send(self, partner: Partner, signals: list[tuple[str, int, str]]) -> None:
        sealed = self._signals(partner, signals)
        self.bodies.append(partner.seal(*sealed))
        self.hub.receive(self.bodies[-1])
        self.sent += [(self.person(who), one.id) for (who, _, _), one in zip(signals, sealed, strict=True)]

    def _signals(self, partner: Partner, signals: list[tuple[str, int, str]]) -> list[Any]:
        return [
            partner.signal(self.person(who), self._key(who, key), kind, value=1.0 + key)
            for who, key, kind in signals
        ]

    def _key(self, who: str, key: int) -> str:
        return f"{self.person(who)}/{key}"

    def _admit_new_key(self) -> None:
        self.new = SigningKey.generate()
        self.hub.add_partner(self.shop.issuer, [self.new.public_jwk], not_before=LONG_AGO)


@pytest.fixture
def twin(hub: Hub, clock: Clock) -> Partner:
    """A second partner, that sends in the clear."""
    return Partner.join("https://twin.example", hub, clock, ORDERS)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, min_size=4, max_size=30))
def test_the_ledger_says_it_all(
    hub: Hub, shop: Partner, twin: Partner, clock: Clock, deeds: list[tuple[Any, ...]]
) -> None:
    """Grants, envelopes of every form, disputes, keys that fall, people who go and perhaps come back."""
    history = History(hub, shop, twin, clock)
    history._admit_new_key()
    first = [("grant", "ada", 0), ("grant", "bob", 0), ("send", [("ada", 0, ORDER), ("bob", 1, LATE)])]
    for deed in [*first, *deeds]:
        history.do(deed)
    rows, scores = everything(hub)["signals"], history.scores()
    hub.rebuild()
    assert everything(hub)["signals"] == rows
    assert history.scores() == scores
    gone = history.names_of_the_gone()
    assert subjects(replayed(hub)).isdisjoint(gone)
    tables = {name: rows for name, rows in everything(hub).items() if name not in {"notices", "envelopes"}}
    stored = repr(tables)
    assert not [name for name in gone | history.gone if name in stored]
