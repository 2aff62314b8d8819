"""What the guard costs in a bulk read of scores: the same read beside one whose findings are known before.

Everything else is the same in both: token, consents, scores of 10,000 people with 20 signals each, and
the line in each person's log.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from attrs import evolve, frozen

from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk import (
    ConsumerDeclaration,
    Direction,
    Finding,
    Grant,
    Manifest,
    Policy,
    Pseudonymizer,
    ReadRequest,
    Signal,
    SignalKind,
    Weighting,
)
from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.purposes import PERSONALISED_BENEFITS
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.policy import Band
from sesame_sdk.model.terms import Effect, Terms
from sesame_sdk.partner.score_reads import sign_read_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import sign_event
from sesame_sdk.signing.keys import SigningKey

PEOPLE, SIGNALS_EACH, TIMES = 10_000, 20, 7
SHOP, HUB = "https://shop.example", "https://hub.example"
KIND = SignalKind("retail.order.completed", "order_kept")
POLICY = Policy(
    name="bench",
    version=1,
    context="retail",
    base=550.0,
    low=350.0,
    high=950.0,
    bands=(Band("ordinary", 350.0), Band("good", 600.0)),
    weightings=(Weighting(KIND, weight=4.0, floor=0.0, cap=120.0, partner_cap=80.0, half_life_days=365.0),),
    purposes=(PERSONALISED_BENEFITS,),
    disputes="https://shop.example/disputes",
    terms=Terms(effects=(Effect("free_returns", "good"),)),
)
_PSEUDONYMIZER = Pseudonymizer(bytes(32))
_START = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class _Known:
    """Gives the findings that a guard gave before, by the reader's name for the person."""

    findings: Mapping[str, tuple[Finding, ...]]

    def read(self, reading: ReadRequest) -> tuple[Finding, ...]:
        """The findings of a guard that was asked before."""
        assert reading.grant is not None
        return self.findings[reading.grant.subject]


def rows(people: int = PEOPLE) -> list[BenchmarkResult]:
    """One row: seconds of a bulk read with the guard, and with its findings known before."""
    with TemporaryDirectory() as folder, _hub(Path(folder), people) as (hub, key, subjects):
        findings = {who: Guard().check_read(_reading(who)) for who in subjects}
        known = evolve(hub, guard=_Known(findings))
        first = hub.read_scores(_token(key), subjects)
        assert None not in first.values()
        assert known.read_scores(_token(key), subjects) == first
        # In turns, so that a busy second of the machine falls on both.
        pairs = [
            [fastest(lambda hub=one: hub.read_scores(_token(key), subjects), times=1) for one in (hub, known)]
            for _ in range(TIMES)
        ]
    ours, limit = (min(seconds) for seconds in zip(*pairs, strict=True))
    name = f"read {people:,} scores of {SIGNALS_EACH} signals each, past the guard"
    return [
        BenchmarkResult(
            name, ours, limit, "the same read with the guard's findings known before", "s", 1.05, "lower"
        )
    ]


def _token(key: SigningKey) -> bytes:
    now = datetime.now(UTC)
    return sign_read_token(
        key, issuer=SHOP, audience=HUB, purpose=PERSONALISED_BENEFITS, context="retail", now=now
    )


def _reading(subject: str) -> ReadRequest:
    return ReadRequest(SHOP, PERSONALISED_BENEFITS, "retail", datetime.now(UTC), _may_read(subject))


def _may_read(subject: str) -> Grant:
    return Grant(
        partner=SHOP,
        subject=subject,
        direction=Direction.READ,
        given_at=_START,
        purpose=PERSONALISED_BENEFITS,
        context="retail",
        adult=True,
    )


@contextmanager
def _hub(folder: Path, people: int) -> Iterator[tuple[Hub, SigningKey, list[str]]]:
    """A hub that holds the people's signals, the shop's key, and the pseudonyms of the people."""
    key, subjects = (
        SigningKey.generate(),
        [_PSEUDONYMIZER.pseudonym(f"customer {at}") for at in range(people)],
    )
    create_hub(folder / "hub", issuer=HUB)
    with Hub.open(folder / "hub") as hub:
        hub.add_partner(SHOP, [key.public_jwk], not_before=_START)
        _register(hub, key)
        hub.set_policy(POLICY)
        hub.add_grants((who, _may_send(who)) for who in subjects)
        hub.add_grants((who, _may_read(who)) for who in subjects)
        signals = list(_signals(subjects))
        for first in range(0, len(signals), MAX_SIGNALS):
            some = signals[first : first + MAX_SIGNALS]
            hub.receive(seal(some, key, issuer=SHOP, audience=HUB, now=datetime.now(UTC)))
        yield hub, key, subjects


def _may_send(subject: str) -> Grant:
    return Grant(SHOP, subject, Direction.SEND, _START, (KIND.name,), adult=True)


def _register(hub: Hub, key: SigningKey) -> None:
    consumer = ConsumerDeclaration("bench", PERSONALISED_BENEFITS, "retail")
    unsigned = Manifest("sesame-bench", "1.0", "1.0", (KIND,), (consumer,))
    manifest = evolve(unsigned, digest=manifest_digest(unsigned))
    now = datetime.now(UTC)
    hub.receive(sign_event(EventType.REGISTRATION, manifest, key, issuer=SHOP, audience=HUB, now=now))


def _signals(subjects: list[str]) -> Iterator[Signal]:
    """In the order of time, each about somebody at random."""
    random = Random(20261101)
    for number in range(SIGNALS_EACH * len(subjects)):
        at = _START + timedelta(seconds=60 * number)
        who = subjects[random.randrange(len(subjects))] if number >= len(subjects) else subjects[number]
        yield Signal(_PSEUDONYMIZER.signal_id(KIND.name, str(number), at), who, KIND.name, 1.0, at)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if sys.argv[1:] else PEOPLE):
        print(f"{row.name}: {row.ours:.3f} s; {row.baseline}: {row.limit:.3f} s; ratio {row.ratio:.3f}")
