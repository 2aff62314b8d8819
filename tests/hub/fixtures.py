"""Kinds, policies and partners for the tests of a hub."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from sesame_sdk import (
    ConsumerDeclaration,
    Effect,
    Grant,
    Manifest,
    Policy,
    Pseudonymizer,
    Score,
    Signal,
    SignalKind,
    Terms,
    Weighting,
    testing,
)
from sesame_sdk.guard import purposes
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import DEFAULT_DATABASE, LOOPBACK_NETWORKS, SETTINGS_FILE, create_hub
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Band
from sesame_sdk.testing.hub import empty_database
from sesame_sdk.testing.partner import LONG_AGO as LONG_AGO
from sesame_sdk.testing.partner import Clock as Clock

HUB = "https://hub.example"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORDER, LATE, POST = "retail.order.spend", "retail.return.refunded", "community.post.helpful"
BENEFITS = purposes.PERSONALISED_BENEFITS


def allow_pushes_to_loopback(path: Path) -> None:
    """Readers of tests listen on this machine."""
    with (path / SETTINGS_FILE).open("a", encoding="utf-8") as file:
        file.write(f'push_networks = "{LOOPBACK_NETWORKS}"\n')


def new_hub(
    path: Path, *, issuer: str = HUB, database: str = DEFAULT_DATABASE, as_of: date | None = None
) -> Path:
    """Create a hub's folder. In SQLite its tables are copied: migrations take longer than most tests."""
    create_hub(path, issuer=issuer, database=database, as_of=as_of)
    allow_pushes_to_loopback(path)
    if database == DEFAULT_DATABASE:
        (path / "hub.sqlite").write_bytes(empty_database())
    return path


#: What the kinds of these names record; any other name records orders that were kept.
OBSERVATIONS = {
    ORDER: ("order_spend", "GBP"),
    LATE: ("order_returned", "GBP"),
    POST: ("answer_marked_helpful", ""),
}


def kind(name: str, observation: str = "", **other: Any) -> SignalKind:
    """A kind that the guard lets pass; what a test does not care about is filled in."""
    usual, currency = OBSERVATIONS.get(name, ("order_kept", ""))
    return SignalKind(name, observation or usual, **({"currency": currency} | other))


def manifest(
    *kinds: SignalKind, reads: Iterable[str] = (), name: str = "sesame-test", **other: Any
) -> Manifest:
    """A manifest with its digest; `reads` are contexts to read for `BENEFITS`."""
    consumers = tuple(ConsumerDeclaration(f"{context}-reader", BENEFITS, context) for context in reads)
    without_digest = Manifest(name, other.pop("version", "1.0"), other.pop("api", "1.0"), kinds, consumers)
    return evolve(without_digest, digest=other.pop("digest", codec.manifest_digest(without_digest)))


def weighting(of: SignalKind, **other: Any) -> Weighting:
    """10 points each, up to 100, no fading; what lowers has a floor instead."""
    filled: dict[str, Any] = {"weight": 10.0, "floor": 0.0, "cap": 100.0, "partner_cap": 80.0}
    if of.entry.lowers:
        filled |= {"weight": -7.0, "floor": -60.0, "cap": 0.0}
    return Weighting(
        kind=of,
        **(filled | other),
    )


def policy(*weightings: Weighting, context: str = "retail", **other: Any) -> Policy:
    """350 to 950 from 500."""
    without_digest = Policy(
        name=f"{context}-test",
        version=other.pop("version", 1),
        context=context,
        base=500.0,
        low=350.0,
        high=950.0,
        bands=(Band("fair", 350.0), Band("good", 550.0)),
        weightings=weightings,
        purposes=(BENEFITS,),
        disputes="https://hub.example/disputes",
        terms=Terms(effects=(Effect("free_returns", "good"),)),
    )
    return evolve(without_digest, digest=other.pop("digest", codec.policy_digest(without_digest)))


@frozen
class Partner(testing.Partner):
    """A partner of a hub; what a test does not care about is filled in."""

    pseudonymizer: Pseudonymizer = field(factory=lambda: Pseudonymizer(b"thirty-two bytes of test secret."))

    @classmethod
    def join(
        cls,
        issuer: str,
        hub: Hub,
        clock: Callable[[], datetime],
        *kinds: SignalKind,
        reads: Iterable[str] = (),
    ) -> "Partner":
        """A partner that the hub admitted, with one plugin registered."""
        partner = cls(issuer, hub, clock)
        hub.add_partner(issuer, [partner.key.public_jwk], not_before=LONG_AGO)
        partner.register(manifest(*kinds, reads=reads))
        return partner

    def signal(
        self, person: str, key: str, kind: str = ORDER, value: float = 1.0, *, at: datetime | None = None
    ) -> Signal:
        """A signal about a person, at noon unless `at` is given."""
        return super().signal(person, key, kind, value, at=at or NOON)

    def grants(
        self, person: str, *kinds: str, reads: str | None = None, **terms: Any
    ) -> list[tuple[str, Grant]]:
        """A person's consent to this partner: to send `kinds`, to read the score of a context."""
        terms = {"given_at": NOON - timedelta(days=30)} | terms
        grants = [self.send_grant(person, *kinds, **terms)] if kinds else []
        if reads:
            named = {"purpose": BENEFITS, "context": reads} | terms
            grants.append(self.read_grant(person, **named))
        return grants

    def stream_token(self, purpose: str = BENEFITS, context: str = "retail") -> bytes:
        """A token for a stream of ours."""
        return super().stream_token(purpose, context)

    def read_token(self, purpose: str = BENEFITS, context: str = "retail") -> bytes:
        """A token to read scores with, once."""
        return super().read_token(purpose, context)

    def read(self, *persons: str, purpose: str = BENEFITS, context: str = "retail") -> list[Score | None]:
        """The scores of persons, in their order."""
        return super().read(*persons, purpose=purpose, context=context)
