"""A partner's side of the exchange: post signals, deliver them, join a hub, read scores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.delivery.dispatcher import MAX_CONCURRENCY, DeliveryResult, Dispatcher
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.messages import Acknowledged, DeadLetter, Message, MessageCounts
from sesame_sdk.delivery.outbox import DEFAULT_CAPACITY, Outbox
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.interfaces import Closeable, Signer
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.envelope_writer import Batch, EnvelopeWriter, PostResult, Write
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.partner.receipts import ExpectedReceipt, read_receipt
from sesame_sdk.partner.score_reads import read_scores, sign_read_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.security_events import new_jti, sign_event

EVENTS_PATH = "/v1/events"


class Client(Closeable):
    """Speaks to one hub as one partner. Threads may share it.

    Args:
        issuer: URL that the partner is known by.
        hub: base URL of the hub, which is also its issuer and the audience of all we sign.
        signer: the partner's key.
        outbox: file that keeps what was posted; several processes may share it.
        hub_keys: knows the hub's keys; without it they are pinned on first use.
        capacity: bytes of envelopes that the outbox holds.
        transport: the way to the hub, if the usual one does not do.
        clock: tells the time, in UTC.

    Raises:
        ConfigurationError: the hub's URL or the outbox cannot be used.
    """

    def __init__(
        self,
        *,
        issuer: str,
        hub: str,
        signer: Signer,
        outbox: Path,
        hub_keys: KeyFinder | None = None,
        capacity: int = DEFAULT_CAPACITY,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._issuer = issuer
        self._hub = hub
        self._signer = signer
        self._clock = clock
        self._transport = transport or Transport(hub, pool_size=MAX_CONCURRENCY)
        self._outbox = Outbox(outbox, capacity=capacity)
        self._hub_keys = hub_keys or PinnedKeys(
            hub, lambda: self._transport.get(JWKS_PATH).body, self._outbox
        )

    @classmethod
    def from_config(cls, config: PartnerConfig) -> Self:
        """The client of a partner whose keys and settings are in a folder."""
        return cls(
            issuer=config.issuer,
            hub=config.hub,
            signer=config.signer,
            outbox=config.outbox,
            capacity=config.capacity,
        )

    def post(self, signals: Iterable[Signal]) -> PostResult:
        """Sign signals and keep them on disk until `deliver` has a receipt for them.

        Takes any number, one envelope of up to 1,000 at a time; one is written while the next is sealed.
        All is on disk when this returns. A call with up to 1,000 keeps all or none, and a longer one that
        fails keeps whole envelopes. Ids are deterministic: to post the same signals again counts none
        of them twice.

        Raises:
            OutboxFullError: the outbox is full. `stored` is the number of signals on disk, and `remaining`
                iterates over the others: after `deliver()`, continue with ``post(error.remaining)``.
            InvalidInputError: an item of `signals` is not a signal.
        """
        return EnvelopeWriter(signals, self._sealed).run()

    def deliver(
        self, *, progress: Callable[[int], None] | None = None, concurrency: int = 4
    ) -> DeliveryResult:
        """Send what waits, and keep the receipts.

        Args:
            progress: told the number of signals of each envelope that is off the queue.
            concurrency: how many envelopes are under way at once; their order is not kept.

        Raises:
            RetryableError: another process delivers from this outbox.
            ConfigurationError: the hub cannot be spoken to; everything stays in the outbox.
        """
        return Dispatcher(
            self._outbox,
            self._send,
            concurrency=concurrency,
            interruptible=self._transport.interruptible(),
            progress=progress,
        ).run()

    def interrupt(self) -> None:
        """Let a `deliver` in another thread end soon: what it did not send stays in the outbox."""
        self._transport.interrupt()

    def register(self, manifest: Manifest) -> Receipt:
        """Join the hub: tell it, signed, what a plugin of ours may say and what it reads for.

        Raises:
            GuardRefusedError: the hub's guard said no, with the same findings as there.
            InvalidInputError, RetryableError, ConfigurationError: see `Transport.post`.
        """
        jti = new_jti()
        token = sign_event(
            EventType.REGISTRATION,
            manifest,
            self._signer,
            issuer=self._issuer,
            audience=self._hub,
            now=self._clock(),
            jti=jti,
        )
        return self._exchange(token, jti, None)[0]

    def scores(self, subjects: Sequence[str], *, purpose: str, context: str) -> dict[str, Score | None]:
        """The scores of people, by our own pseudonyms for them. None is a full answer: no score.

        Args:
            subjects: any number.
            purpose: IRI of why we read.
            context: whose policy makes the score.

        Raises:
            GuardRefusedError: nobody may read for this purpose.
            InvalidInputError: the hub refused, or its answer cannot be trusted.
            RetryableError, ConfigurationError: see `Transport.post`.
        """

        def bearer() -> bytes:
            return sign_read_token(
                self._signer,
                issuer=self._issuer,
                audience=self._hub,
                purpose=purpose,
                context=context,
                now=self._clock(),
            )

        return read_scores(self._transport, subjects, bearer)

    def receipts(self) -> Iterator[Receipt]:
        """Every receipt kept, oldest envelope first."""
        return self._outbox.receipts()

    def dead_letters(self) -> list[DeadLetter]:
        """Envelopes that were refused for good, with the reason."""
        return self._outbox.dead_letters()

    def redrive(self) -> int:
        """Put every dead letter back in the queue, once its cause is mended; how many there were."""
        return self._outbox.redrive()

    def counts(self) -> MessageCounts:
        """How many envelopes wait, were sent, or are dead letters."""
        return self._outbox.counts()

    def check_hub(self) -> int:
        """Ask the hub for its keys and compare them with those pinned; how many there are.

        Raises:
            ConfigurationError: it publishes others, or this client was given the hub's keys.
            RetryableError: it does not answer.
        """
        return self._pinned().check()

    def discard(self) -> int:
        """Give up every dead letter and its signals, unless they are posted again; how many there were."""
        return self._outbox.discard()

    def repin(self) -> None:
        """Believe the keys that the hub publishes now. Ask its operator first whether they are its own.

        Raises:
            ConfigurationError: this client was given the hub's keys, so there is nothing to pin.
        """
        self._pinned().repin()

    def close(self) -> None:
        """Close connections and the outbox. What was posted stays on disk."""
        self._transport.close()
        self._outbox.close()

    def _pinned(self) -> PinnedKeys:
        if not isinstance(self._hub_keys, PinnedKeys):
            raise ConfigurationError("were given to this client, not pinned", field="hub_keys")
        return self._hub_keys

    def _sealed(self, batch: Batch) -> Write:
        jti = new_jti()
        body = seal(batch, self._signer, issuer=self._issuer, audience=self._hub, now=self._clock(), jti=jti)
        return lambda: self._outbox.append(jti, EventType.SIGNALS, body, signal_count=len(batch))

    def _send(self, letter: Message) -> Acknowledged:
        receipt, token = self._exchange(letter.body, letter.jti, letter.signal_count)
        return Acknowledged(letter, receipt, token)

    def _exchange(self, body: bytes, jti: str, signals: int | None) -> tuple[Receipt, bytes]:
        answer = self._transport.post(EVENTS_PATH, body, content_type=SET_MEDIA_TYPE, accept=SET_MEDIA_TYPE)
        if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != SET_MEDIA_TYPE:
            raise ConfigurationError(
                "answered without a receipt", field="hub", hint="check that it is a Sesame hub"
            )
        expected = ExpectedReceipt(hub=self._hub, audience=self._issuer, jti=jti, signal_count=signals)
        return read_receipt(answer.body, self._hub_keys, expected, self._clock()), answer.body
