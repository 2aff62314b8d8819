"""A partner's side of the exchange: post signals, deliver them, join a hub, read scores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from attrs import frozen

from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.delivery.dispatcher import MAX_CONCURRENCY, DeliveryResult, Dispatcher
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.messages import Acknowledged, DeadLetter, Message, MessageCounts, RedriveResult
from sesame_sdk.delivery.outbox import DEFAULT_CAPACITY, Outbox
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.interfaces import Closeable, Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.dead_letters import Resealer
from sesame_sdk.partner.envelope_writer import Batch, EnvelopeWriter, PostResult, Write
from sesame_sdk.partner.hub_clock import blame_clock, clock_difference, is_tolerable
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.partner.next_key import NextKey
from sesame_sdk.partner.score_reads import read_scores, sign_read_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import IssuedInFutureError, KeyFinder, Token, new_jti, sign_event, verify_event
from sesame_sdk.signing.key_rotation import announce

EVENTS_PATH = "/v1/events"
#: How many seconds a delivery's threads wait for the one that asks for the hub's new key.
_KEY_PATIENCE = 30.0
METADATA_PATH = "/.well-known/ssf-configuration"


@frozen
class _Metadata:
    """The member of a hub's metadata (SSF 1.0 section 7.1) that a client needs."""

    issuer: str


class Client(Closeable):
    """Communicates with one hub as one partner. Thread-safe.

    Args:
        issuer: the partner's issuer URL.
        hub: base URL of the hub, which is also its issuer URL and the audience of all tokens.
        signer: the partner's key.
        outbox: file of posted envelopes; several processes may share it.
        hub_keys: finds the hub's keys; without it they are pinned on first use.
        capacity: maximal bytes of envelopes in the outbox.
        transport: to the hub, in place of the default one.
        clock: returns the time, in UTC.

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
        self._issuer = normalize_issuer(issuer)
        self._hub = hub = normalize_issuer(hub)
        self._signer = signer
        self._clock = clock
        self._next_key: NextKey | None = None
        self._transport = transport or Transport(hub, pool_size=MAX_CONCURRENCY)
        self._outbox = Outbox(outbox, capacity=capacity)
        self._hub_keys = hub_keys or PinnedKeys(
            hub, lambda: self._transport.get(JWKS_PATH).body, self._outbox, patience=_KEY_PATIENCE
        )

    @classmethod
    def from_config(cls, config: PartnerConfig, *, transport: Transport | None = None) -> Self:
        """Create the client of a partner."""
        client = cls(
            issuer=config.issuer,
            hub=config.hub,
            signer=config.signer,
            outbox=config.outbox,
            capacity=config.capacity,
            transport=transport,
        )
        client._next_key = NextKey(config.path, client._outbox)
        client._next_key.complete()
        return client

    def post(self, signals: Iterable[Signal]) -> PostResult:
        """Sign signals and store them on disk until `deliver` has a receipt for them.

        Any number, in envelopes of up to 1,000; one is written while the next is sealed. All are on disk when
        this returns. A call with up to 1,000 stores all or none, and a longer one that fails stores whole
        envelopes. Ids are deterministic: signals that are posted again are not counted twice.

        Raises:
            OutboxFullError: the outbox is full. `stored` is the number of signals on disk, and `remaining`
                iterates over the others: after `deliver()`, continue with ``post(error.remaining)``.
            InvalidInputError: an item of `signals` is not a signal.
        """
        return EnvelopeWriter(signals, self._seal).run()

    def deliver(
        self, *, progress: Callable[[int], None] | None = None, concurrency: int = 4
    ) -> DeliveryResult:
        """Send pending envelopes, and store the receipts.

        Args:
            progress: called with the number of signals of each envelope that leaves the queue.
            concurrency: how many envelopes are sent concurrently, unordered.

        Raises:
            RetryableError: another process is delivering from this outbox.
            ConfigurationError: the hub cannot be used; everything stays in the outbox.
        """
        result = Dispatcher(
            self._outbox,
            self._send,
            concurrency=concurrency,
            interruptible=self._transport.interruptible(),
            prepare=self._hub_keys.load if isinstance(self._hub_keys, PinnedKeys) else lambda: None,
            progress=progress,
        ).run()
        if self._next_key is not None:
            self._next_key.complete()
        return result

    def interrupt(self) -> None:
        """End a `deliver` in another thread soon; what it did not send stays in the outbox."""
        self._transport.interrupt()

    def register(self, manifest: Manifest) -> Receipt:
        """Register a plugin at the hub: the kinds that it sends and the purposes for which it reads.

        Raises:
            GuardRefusedError: the hub's guard refused, with its findings.
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

    def rotate_key(self, overlap: timedelta) -> str:
        """Create our next key, announce it to the hub, and sign with it. Returns its thumbprint.

        The present key stays valid for `overlap`, for messages that it signed already. Other clients of this
        directory sign with the next key from then on. If the hub is away the announcement stays in the
        outbox: this method or a delivery goes on.

        Raises:
            InvalidInputError: the hub rejected the announcement; the present key stays.
            RetryableError: the hub is away, or another process is rotating; call it again.
            ConfigurationError: this client was not created from a `PartnerConfig`; see `Transport.post`.
        """
        next_key = self._own_next_key()
        next_key.complete()
        with self._outbox.rotation_lock():
            following = next_key.create()
            try:
                self._announce(following, overlap)
            except InvalidInputError as error:
                if error.code != "invalid_receipt":  # whose announcement the hub may have accepted
                    next_key.discard()
                raise
            next_key.put_in_force()
        return following.kid

    def replace_key(self) -> str:
        """Create a new key and sign with it, without telling the hub. Returns its thumbprint.

        For a key that was revoked, which can announce none: the hub's operator has to add the new one.

        Raises:
            RetryableError: another process is rotating.
            ConfigurationError: this client was not created from a `PartnerConfig`.
        """
        next_key = self._own_next_key()
        with self._outbox.rotation_lock():
            next_key.discard()
            kid = next_key.create().kid
            next_key.put_in_force()
        return kid

    @property
    def pending_key(self) -> str | None:
        """The thumbprint of the next key, which the hub has not accepted yet; None without a rotation."""
        return None if self._next_key is None else self._next_key.kid

    def _own_next_key(self) -> NextKey:
        if self._next_key is None:
            raise ConfigurationError(
                "was passed to this client", field="signer", hint="rotate it at its home"
            )
        return self._next_key

    def _announce(self, following: Signer, overlap: timedelta) -> None:
        parties = {"issuer": self._issuer, "audience": self._hub}
        body, jti = announce(self._signer, following, now=self._clock(), overlap=overlap, **parties)
        if self._outbox.find(jti) is None:
            self._outbox.append(jti, EventType.KEY_ROTATION, body)
        found = self._outbox.find(jti)
        if found is None or found[0] == "sent":
            return
        acknowledged = self._send(found[1])
        if found[0] == "dead":  # by a delivery, before its cause was fixed
            self._outbox.remove(found[1])
        self._outbox.record_outcomes([acknowledged])

    def scores(self, subjects: Sequence[str], *, purpose: str, context: str) -> dict[str, Score | None]:
        """Read scores by our own pseudonyms. None is a full answer: no score.

        Args:
            subjects: any number.
            purpose: IRI of the purpose.
            context: of the scores.

        Raises:
            GuardRefusedError: the purpose is not allowed.
            InvalidInputError: the hub rejected the request, or its response is not valid.
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

        with blame_clock(self._transport, self._clock):
            return read_scores(self._transport, subjects, bearer)

    def receipts(self) -> Iterator[Receipt]:
        """Every stored receipt, oldest envelope first."""
        return self._outbox.receipts()

    def dead_letters(self) -> list[DeadLetter]:
        """The rejected envelopes, with the reasons."""
        return self._outbox.dead_letters()

    def redrive(
        self, ids: Iterable[int] | None = None, *, progress: Callable[[int], None] = lambda _: None
    ) -> RedriveResult:
        """Make dead letters pending again, after their cause was fixed: all, or those with these ids.

        Those whose token can never be accepted are signed anew: see `dead_letters`. `progress` is called with
        the number of signals done.

        Raises:
            InvalidInputError: an id is not that of a dead letter; nothing was changed.
        """
        resealer = Resealer(self._signer, self._issuer, self._hub, self._clock())
        return self._outbox.redrive(ids, resealer, progress=progress)

    def counts(self) -> MessageCounts:
        """Count the envelopes that are pending, sent, or dead."""
        return self._outbox.counts()

    def check_hub(self) -> int:
        """Compare the hub's published keys with the pinned ones, and return their number.

        Raises:
            ConfigurationError: they differ, or this client was created with the hub's keys.
            RetryableError: the hub is unavailable.
        """
        return self._pinned().check()

    @property
    def hub(self) -> str:
        """The hub's URL, as configured."""
        return self._hub

    def clock_difference(self) -> timedelta | None:
        """How far this machine's clock is ahead of the hub's, to the second.

        None before the hub has answered, or if its answers have no date.
        """
        return clock_difference(self._transport, self._clock())

    def fetch_hub_issuer(self) -> str:
        """The issuer URL that the hub has of itself, which must be the audience of all that it accepts.

        Raises:
            InvalidInputError, RetryableError, ConfigurationError: see `Transport.post`.
        """
        return codec.decode(self._transport.get(METADATA_PATH).body, _Metadata, field="hub").issuer

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Delete dead letters, all or those with these ids, and return their number.

        Raises:
            InvalidInputError: an id is not that of a dead letter; nothing was changed.
        """
        return self._outbox.discard(ids)

    def repin(self) -> None:
        """Trust the keys that the hub publishes now. Confirm first with its operator that they are right.

        Raises:
            ConfigurationError: this client was created with the hub's keys.
        """
        self._pinned().repin()

    def close(self) -> None:
        """Close connections and the outbox."""
        self._transport.close()
        self._outbox.close()

    def _pinned(self) -> PinnedKeys:
        if not isinstance(self._hub_keys, PinnedKeys):
            raise ConfigurationError("were passed to this client, not pinned", field="hub_keys")
        return self._hub_keys

    def _seal(self, batch: Batch) -> Write:
        jti = new_jti()
        body = seal(batch, self._signer, issuer=self._issuer, audience=self._hub, now=self._clock(), jti=jti)
        return lambda: self._outbox.append(jti, EventType.SIGNALS, body, signal_count=len(batch))

    def _send(self, message: Message) -> Acknowledged:
        receipt, token = self._exchange(message.body, message.jti, message.signal_count)
        return Acknowledged(message, receipt, token)

    def _exchange(self, body: bytes, jti: str, signal_count: int | None) -> tuple[Receipt, bytes]:
        with blame_clock(self._transport, self._clock):
            response = self._transport.post(
                EVENTS_PATH, body, content_type=SET_MEDIA_TYPE, accept=SET_MEDIA_TYPE
            )
        if response.headers.get("content-type", "").partition(";")[0].strip().lower() != SET_MEDIA_TYPE:
            raise ConfigurationError("returned no receipt", field="hub", hint="check that it is a Sesame hub")
        try:
            with blame_clock(self._transport, self._clock):
                return self._read_timely_receipt(response.body, jti, signal_count), response.body
        except InvalidInputError as error:
            raise InvalidInputError(
                f"the hub's receipt is not valid: {error}", code="invalid_receipt"
            ) from error

    def _read_timely_receipt(self, token: bytes, jti: str, signal_count: int | None) -> Receipt:
        now = self._clock()
        try:
            return self._read_receipt(token, jti, signal_count, now)
        except IssuedInFutureError as error:
            ahead = self.clock_difference()
            if ahead is None or not is_tolerable(ahead):
                raise
            # The clocks agree now: the hub's was ahead when it signed, and its receipt is good all the same.
            return self._read_receipt(token, jti, signal_count, now + error.ahead)

    def _read_receipt(self, token: bytes, jti: str, signal_count: int | None, now: datetime) -> Receipt:
        """A receipt that the hub signed, for us, about this message, and that accounts for each signal.

        The numbers of a registration, whose `signal_count` is None, are not checked.
        """
        event = verify_event(
            Token.parse(token),
            self._hub_keys,
            event=EventType.RECEIPT,
            payload=Receipt,
            audience=self._issuer,
            now=now,
        )
        receipt = event.payload
        if event.issuer != self._hub:
            raise InvalidInputError("is not the hub that the message was sent to", field="iss")
        if receipt.jti != jti:
            raise InvalidInputError("is of another message", field="jti")
        if signal_count is None:
            return receipt
        counts, field = (
            (receipt.accepted, receipt.duplicates, receipt.corrected),
            "accepted, duplicates, corrected",
        )
        if min(counts) < 0:
            raise InvalidInputError("must not be negative", field=field)
        if sum(counts) + len(receipt.dropped) != signal_count:
            raise InvalidInputError(f"do not add up to the {signal_count} sent", field=f"{field}, dropped")
        return receipt
