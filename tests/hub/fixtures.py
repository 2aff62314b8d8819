"""A hub with a clock of ours, and partners that speak to it as real ones do."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from sesame_sdk import (
    ConsumerDeclaration,
    Direction,
    Evidence,
    Grant,
    Manifest,
    Polarity,
    Policy,
    Pseudonymizer,
    Score,
    Sensitivity,
    Signal,
    SignalKind,
    Weighting,
)
from sesame_sdk.guard import purposes
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import DEFAULT_DATABASE, create_hub
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.policy import Band
from sesame_sdk.partner.score_reads import sign_read_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import Token
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.security_events import sign_event, verify_event
from sesame_sdk.signing.trust_store import Trust, TrustedKey
from sesame_sdk.testing.hub import empty_database

HUB = "https://hub.example"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ORDER, LATE, POST = "retail.order.completed", "retail.payment.missed", "community.post.helpful"
BENEFITS = purposes.PERSONALISED_BENEFITS


@define
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """What time it is."""
        return self.now

    def advance(self, **time: float) -> None:
        """Let time pass: ``minutes=5``."""
        self.now += timedelta(**time)


def new_hub(
    path: Path, *, issuer: str = HUB, database: str = DEFAULT_DATABASE, as_of: date | None = None
) -> Path:
    """Create a hub's folder. In SQLite its tables are copied: migrations take longer than most tests."""
    create_hub(path, issuer=issuer, database=database, as_of=as_of)
    if database == DEFAULT_DATABASE:
        (path / "hub.sqlite").write_bytes(empty_database())
    return path


def kind(name: str, *, polarity: Polarity = Polarity.REWARD, **other: Any) -> SignalKind:
    """A kind that the guard lets pass; what a test does not care about is filled in."""
    reasons = {ORDER: "Orders that you kept", LATE: "Invoices left unpaid", POST: "Posts that helped others"}
    filled: dict[str, Any] = {
        "context": name.split(".")[0],
        "unit": "one",
        "evidence": Evidence.OBSERVED,
        "sensitivity": Sensitivity.ORDINARY,
        "reason": reasons.get(name, "Promises to the shop that you kept"),
        "categories": ("https://w3id.org/dpv/pd#Purchase",),
    }
    return SignalKind(name=name, polarity=polarity, **(filled | other))


def manifest(
    *kinds: SignalKind, reads: Iterable[str] = (), name: str = "sesame-test", **other: Any
) -> Manifest:
    """A manifest with its digest; `reads` are contexts to read for `BENEFITS`."""
    consumers = tuple(ConsumerDeclaration(f"{context}-reader", BENEFITS, context) for context in reads)
    made = Manifest(name, other.pop("version", "1.0"), other.pop("api", "1.0"), kinds, consumers)
    return evolve(made, digest=other.pop("digest", codec.manifest_digest(made)))


def weighting(of: SignalKind, **other: Any) -> Weighting:
    """10 points each, up to 100, no fading."""
    filled: dict[str, Any] = {"weight": 10.0, "floor": 0.0, "cap": 100.0, "partner_cap": 80.0}
    return Weighting(
        kind=of,
        **(filled | other),
    )


def policy(*weightings: Weighting, context: str = "retail", **other: Any) -> Policy:
    """350 to 950 from 500."""
    made = Policy(
        name=f"{context}-test",
        version=other.pop("version", 1),
        context=context,
        base=500.0,
        low=350.0,
        high=950.0,
        bands=(Band("fair", 350.0), Band("good", 550.0)),
        weightings=weightings,
        purposes=(BENEFITS,),
        aim="Small privileges for people who are reliable",
        disputes="https://hub.example/disputes",
    )
    return evolve(made, digest=other.pop("digest", codec.policy_digest(made)))


@frozen
class Partner:
    """A partner with its key; speaks to the hub in signed tokens."""

    issuer: str
    hub: Hub
    clock: Callable[[], datetime]
    key: SigningKey = field(factory=SigningKey.generate)
    identity: Pseudonymizer = field(factory=lambda: Pseudonymizer(b"thirty-two bytes of test secret."))

    @classmethod
    def join(
        cls,
        issuer: str,
        hub: Hub,
        clock: Callable[[], datetime],
        *kinds: SignalKind,
        reads: Iterable[str] = (),
    ) -> "Partner":
        """A partner that the hub knows, with one plugin registered."""
        partner = cls(issuer, hub, clock)
        hub.add_partner(issuer, [partner.key.public_jwk], not_before=LONG_AGO)
        partner.register(manifest(*kinds, reads=reads))
        return partner

    def with_key(self, key: SigningKey) -> "Partner":
        """The same partner, signing with another key."""
        return evolve(self, key=key)

    def signal(self, person: str, key: str, of: str = ORDER, value: float = 1.0, **other: Any) -> Signal:
        """What this partner saw `person` do."""
        at = other.get("at", NOON)
        return Signal(self.identity.signal_id(of, key, at), self.pseudonym(person), of, value, at)

    def pseudonym(self, person: str) -> str:
        """What this partner calls a person."""
        return self.identity.pseudonym(f"{self.issuer}/{person}")

    def seal(self, *signals: Signal, jti: str | None = None) -> bytes:
        """An envelope for the hub."""
        return seal(
            signals,
            self.key,
            issuer=self.issuer,
            audience=self.hub.settings.issuer,
            now=self.clock(),
            jti=jti,
        )

    def send(self, *signals: Signal) -> Receipt:
        """Seal, send, and read the receipt."""
        return self.read_receipt(self.hub.receive(self.seal(*signals)))

    def token(self, event: EventType, payload: object, **other: Any) -> bytes:
        """A plain SET for the hub."""
        said = {"issuer": self.issuer, "audience": self.hub.settings.issuer, "now": self.clock()} | other
        return sign_event(event, payload, self.key, **said)

    def register(self, told: Manifest) -> Receipt:
        """Tell the hub of a plugin."""
        return self.read_receipt(self.hub.receive(self.token(EventType.REGISTRATION, told)))

    def read_receipt(self, token: bytes) -> Receipt:
        """Verify a receipt as partners do."""
        keys = Trust(
            {self.hub.settings.issuer: [TrustedKey(jwk, LONG_AGO) for jwk in self.hub.jwks()["keys"]]}
        )
        return verify_event(
            Token.parse(token),
            keys,
            event=EventType.RECEIPT,
            payload=Receipt,
            audience=self.issuer,
            now=self.clock(),
        ).payload

    def grants(
        self, person: str, *kinds: str, reads: str | None = None, **other: Any
    ) -> list[tuple[str, Grant]]:
        """A person's consent to this partner: to send `kinds`, to read the score of a context."""
        subject = self.pseudonym(person)
        given = other.pop("given_at", NOON - timedelta(days=30))
        told = []
        if kinds:
            told.append(
                (person, Grant(self.issuer, subject, Direction.SEND, given, kinds, adult=True, **other))
            )
        if reads:
            terms = {"purpose": BENEFITS, "context": reads} | other
            told.append((person, Grant(self.issuer, subject, Direction.READ, given, adult=True, **terms)))
        return told

    def read_token(self, *, context: str = "retail", purpose: str = BENEFITS) -> bytes:
        """What a reader shows at the door."""
        return sign_read_token(
            self.key,
            issuer=self.issuer,
            audience=self.hub.settings.issuer,
            purpose=purpose,
            context=context,
            now=self.clock(),
        )

    def read(self, *persons: str, context: str = "retail") -> list[Score | None]:
        """The scores of persons, as the hub gives them to this partner."""
        found = self.hub.read_scores(
            self.read_token(context=context), [self.pseudonym(person) for person in persons]
        )
        return [found[self.pseudonym(person)] for person in persons]
