"""A partner that sends signed tokens to a hub in this process, and the clock of both."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from attrs import define, evolve, field, frozen

from sesame_sdk.model import codec, validators
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration, Manifest
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal, SignalKind
from sesame_sdk.partner.score_reads import sign_read_token, sign_stream_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import Token, sign_event, verify_event
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Not a secret: whatever is derived from it is for tests alone.
_SECRET = b"known to everybody who reads it."
#: Two that are equal, so that a provider which caches by object is noticed.
PSEUDONYMIZER, SAME_PSEUDONYMIZER = Pseudonymizer(_SECRET), Pseudonymizer(_SECRET)


@define
class Clock:
    """Stands still at `now` until it is advanced. Call it to read the time; give one to hub and partners."""

    now: datetime = field(default=datetime(2026, 6, 1, 12, tzinfo=UTC), validator=validators.utc)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, **time: float) -> None:
        """Advance it: ``minutes=5``, as `timedelta` takes it."""
        self.now += timedelta(**time)


def make_manifest(
    kinds: Iterable[SignalKind] = (),
    consumers: Iterable[ConsumerDeclaration] = (),
    *,
    name: str = "sesame-test",
) -> Manifest:
    """A plugin's manifest, with its digest."""
    manifest = Manifest(name, "1.0", API_VERSION, tuple(kinds), tuple(consumers))
    return evolve(manifest, digest=codec.manifest_digest(manifest))


@frozen
class Partner:
    """A partner of a hub, by the URL of its issuer, with its key.

    Attributes:
        pseudonymizer: derives its pseudonyms and signal ids.
    """

    issuer: str
    hub: "Hub"
    clock: Callable[[], datetime]
    key: SigningKey = field(factory=SigningKey.generate)
    pseudonymizer: Pseudonymizer = PSEUDONYMIZER

    def with_key(self, key: SigningKey) -> Self:
        """The same partner, signing with another key."""
        return evolve(self, key=key)

    def pseudonym(self, person: str) -> str:
        """The partner's pseudonym for a person."""
        return self.pseudonymizer.pseudonym(f"{self.issuer}/{person}")

    def signal(
        self, person: str, key: str, kind: str, value: float = 1.0, *, at: datetime | None = None
    ) -> Signal:
        """A signal about a person; now unless `at` is given. `key` is natural, such as an order number."""
        occurred_at = at or self.clock()
        signal_id = self.pseudonymizer.signal_id(kind, key, occurred_at)
        return Signal(signal_id, self.pseudonym(person), kind, value, occurred_at)

    def send_grant(self, person: str, *kinds: str, **terms: Any) -> tuple[str, Grant]:  # noqa: ANN401
        """A person's consent that this partner sends signals of `kinds`."""
        return self._grant(person, Direction.SEND, {"kinds": kinds} | terms)

    def read_grant(self, person: str, purpose: str, context: str, **terms: Any) -> tuple[str, Grant]:  # noqa: ANN401
        """A person's consent that this partner reads a score."""
        return self._grant(person, Direction.READ, {"purpose": purpose, "context": context} | terms)

    def seal(self, *signals: Signal, jti: str | None = None) -> bytes:
        """A signed envelope for the hub."""
        return seal(signals, self.key, jti=jti, **self._claims())

    def send(self, *signals: Signal) -> Receipt:
        """Seal signals, send them, and verify the receipt."""
        return self.read_receipt(self.hub.receive(self.seal(*signals)))

    def token(self, event: EventType, payload: object, **claims: Any) -> bytes:  # noqa: ANN401
        """A signed Security Event Token for the hub; `claims` replace the usual issuer, audience and now."""
        return sign_event(event, payload, self.key, **(self._claims() | claims))

    def register(self, manifest: Manifest) -> Receipt:
        """Register a plugin at the hub."""
        return self.read_receipt(self.hub.receive(self.token(EventType.REGISTRATION, manifest)))

    def read_receipt(self, token: bytes) -> Receipt:
        """Verify a receipt, as a partner does."""
        keys = [TrustedKey(jwk, LONG_AGO) for jwk in self.hub.jwks()["keys"]]
        return verify_event(
            Token.parse(token),
            Trust({self.hub.settings.issuer: keys}),
            event=EventType.RECEIPT,
            payload=Receipt,
            audience=self.issuer,
            now=self.clock(),
        ).payload

    def stream_token(self, purpose: str, context: str) -> bytes:
        """A token to manage and poll a stream with, for some minutes."""
        return sign_stream_token(self.key, purpose=purpose, context=context, **self._claims())

    def read_token(self, purpose: str, context: str) -> bytes:
        """A token to read scores with, once."""
        return sign_read_token(self.key, purpose=purpose, context=context, **self._claims())

    def read(self, *persons: str, purpose: str, context: str) -> list[Score | None]:
        """The scores of persons, in their order."""
        subjects = [self.pseudonym(person) for person in persons]
        scores = self.hub.read_scores(self.read_token(purpose, context), subjects)
        return [scores[subject] for subject in subjects]

    def _claims(self) -> dict[str, Any]:
        return {"issuer": self.issuer, "audience": self.hub.settings.issuer, "now": self.clock()}

    def _grant(self, person: str, direction: Direction, terms: dict[str, Any]) -> tuple[str, Grant]:
        usual: dict[str, Any] = {"given_at": LONG_AGO, "adult": True}
        return person, Grant(self.issuer, self.pseudonym(person), direction, **(usual | terms))
