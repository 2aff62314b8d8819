"""A partner that speaks to a hub as a real one does: in signed tokens, and with no network in between."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, field, frozen

from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration, Manifest
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal, SignalKind
from sesame_sdk.partner.reads import sign_read
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import Token
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.security_events import sign_event, verify_event
from sesame_sdk.signing.trust_store import Trust, TrustedKey
from sesame_sdk.testing.any_hub import AnyHub

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: No secret: what is made under it is for tests alone.
_SECRET = b"known to everybody who reads it."
IDENTITY, TWIN = Pseudonymizer(_SECRET), Pseudonymizer(_SECRET)


def manifest(
    kinds: Iterable[SignalKind] = (),
    consumers: Iterable[ConsumerDeclaration] = (),
    *,
    name: str = "sesame-test",
) -> Manifest:
    """What a plugin would declare, with its digest."""
    made = Manifest(name, "1.0", API_VERSION, tuple(kinds), tuple(consumers))
    return evolve(made, digest=codec.manifest_digest(made))


@frozen
class Partner:
    """A partner of a hub, with its key.

    Attributes:
        issuer: its URL.
        hub: the hub that it speaks to.
        hub_issuer: that hub's URL.
        clock: what time it is for the partner.
        key: signs what it says.
        identity: makes its pseudonyms and ids.
    """

    issuer: str
    hub: AnyHub
    hub_issuer: str
    clock: Callable[[], datetime]
    key: SigningKey = field(factory=SigningKey.generate)
    identity: Pseudonymizer = IDENTITY

    def join(self, told: Manifest | None = None) -> "Partner":
        """Become known to the hub, and register a plugin there if one is given."""
        self.hub.add_partner(self.issuer, [self.key.public_jwk], not_before=LONG_AGO)
        if told is not None:
            self.register(told)
        return self

    def with_key(self, key: SigningKey) -> "Partner":
        """The same partner, signing with another key."""
        return evolve(self, key=key)

    def pseudonym(self, person: str) -> str:
        """What this partner calls a person."""
        return self.identity.pseudonym(f"{self.issuer}/{person}")

    def signal(
        self, person: str, key: str, kind: str, value: float = 1.0, *, at: datetime | None = None
    ) -> Signal:
        """What this partner saw `person` do: now, unless it is said."""
        when = at or self.clock()
        return Signal(self.identity.signal_id(kind, key, when), self.pseudonym(person), kind, value, when)

    def lets_send(self, person: str, *kinds: str, **terms: Any) -> tuple[str, Grant]:  # noqa: ANN401
        """The consent of a person that this partner sends `kinds`."""
        return self._grant(person, Direction.SEND, {"kinds": kinds} | terms)

    def lets_read(self, person: str, purpose: str, context: str, **terms: Any) -> tuple[str, Grant]:  # noqa: ANN401
        """The consent of a person that this partner reads a score."""
        return self._grant(person, Direction.READ, {"purpose": purpose, "context": context} | terms)

    def seal(self, *signals: Signal, jti: str | None = None) -> bytes:
        """An envelope for the hub."""
        now = self.clock()
        return seal(signals, self.key, issuer=self.issuer, audience=self.hub_issuer, now=now, jti=jti)

    def send(self, *signals: Signal) -> Receipt:
        """Seal, send, and read the receipt."""
        return self.read_receipt(self.hub.receive(self.seal(*signals)))

    def token(self, event: EventType, payload: object, **said: Any) -> bytes:  # noqa: ANN401
        """A plain Security Event Token for the hub."""
        about: dict[str, Any] = {
            "issuer": self.issuer,
            "audience": self.hub_issuer,
            "now": self.clock(),
        } | said
        return sign_event(event, payload, self.key, **about)

    def register(self, told: Manifest) -> Receipt:
        """Tell the hub of a plugin."""
        return self.read_receipt(self.hub.receive(self.token(EventType.REGISTRATION, told)))

    def read_receipt(self, token: bytes) -> Receipt:
        """Verify a receipt as partners do."""
        keys = Trust({self.hub_issuer: [TrustedKey(jwk, LONG_AGO) for jwk in self.hub.jwks()["keys"]]})
        return verify_event(
            Token.parse(token),
            keys,
            event=EventType.RECEIPT,
            payload=Receipt,
            audience=self.issuer,
            now=self.clock(),
        ).payload

    def read_token(self, purpose: str, context: str) -> bytes:
        """What a reader shows at the door; good once."""
        return sign_read(
            self.key,
            issuer=self.issuer,
            audience=self.hub_issuer,
            purpose=purpose,
            context=context,
            now=self.clock(),
        )

    def read(self, *persons: str, purpose: str, context: str) -> list[Score | None]:
        """The scores of persons, as the hub gives them to this partner."""
        names = [self.pseudonym(person) for person in persons]
        found = self.hub.read_scores(self.read_token(purpose, context), names)
        return [found[name] for name in names]

    def _grant(self, person: str, direction: Direction, terms: dict[str, Any]) -> tuple[str, Grant]:
        filled: dict[str, Any] = {"given_at": LONG_AGO, "adult": True} | terms
        return person, Grant(self.issuer, self.pseudonym(person), direction, **filled)
