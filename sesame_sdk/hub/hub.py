"""A hub in one process: the facade over the packages of `hub`. `api` offers a part of it over HTTP."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from attrs import evolve, frozen
from sqlalchemy import Connection, Engine

from sesame_sdk.catalogue.observations import Observation
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub import own_keys
from sesame_sdk.hub.consent import grants, subjects
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.consent.grants import GrantChange, PersonGrant
from sesame_sdk.hub.database import migrations, timestamps
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import open_engine, read_transaction
from sesame_sdk.hub.database.tables import streams as stream_table
from sesame_sdk.hub.database.writer import Writers
from sesame_sdk.hub.ingest import key_revocation, verification
from sesame_sdk.hub.ingest.dispatcher import MessageDispatcher
from sesame_sdk.hub.ingest.key_revocation import RevocationImpact
from sesame_sdk.hub.ingest.key_sets import KeySetFetcher
from sesame_sdk.hub.ingest.registrar import Registrar
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.ingest.verification import RebuildReport, VerificationReport
from sesame_sdk.hub.partners import keys, kind_usage, proposals, rate_limit, registrations
from sesame_sdk.hub.partners.keys import CurrentKeys
from sesame_sdk.hub.partners.kind_usage import KindUsage
from sesame_sdk.hub.partners.proposals import Proposal
from sesame_sdk.hub.partners.rate_limit import Limit, RateLimiter
from sesame_sdk.hub.partners.registrations import Partner
from sesame_sdk.hub.rights.service import RightsService
from sesame_sdk.hub.rights.withdrawal_log import WithdrawalLog
from sesame_sdk.hub.scoring import policies, read_auth, score_reads, scores
from sesame_sdk.hub.scoring.score_reads import ScoreRead
from sesame_sdk.hub.settings import Settings, load_settings
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.hub.streams.management import StreamManagement
from sesame_sdk.hub.streams.outbox import StreamOutbox
from sesame_sdk.hub.streams.push_client import PushClient
from sesame_sdk.hub.streams.push_policy import PushPolicy
from sesame_sdk.hub.streams.service import StreamService
from sesame_sdk.hub.streams.stream_auth import StreamAuth
from sesame_sdk.interfaces import Closeable, GuardRule
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.explanation import Estimate, Explanation, Hypothetical
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.signing.keys import KeyFile

Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")


@frozen(repr=False)
class Hub(Closeable):
    """Receives envelopes and registrations, stores grants and policies, computes scores.

    Every method that changes something returns when the change is on disk. Safe to share between threads.
    Several processes may open one database; each sees at once what another one changes.

    Raises:
        RetryableError: from any method that changes something: the database is busy.
    """

    settings: Settings
    streams: StreamService
    stream_management: StreamManagement
    withdrawal_log: WithdrawalLog
    rights: RightsService
    key_sets: KeySetFetcher
    _engine: Engine
    _writers: Writers
    _signals: SignalView
    _dispatcher: MessageDispatcher
    _registrar: Registrar
    _keys: CurrentKeys
    _guard: Guard
    _clock: Clock
    _rate_limiter: RateLimiter

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock = timestamps.utc_now,
        rules: Iterable[GuardRule] = (),
        settings: Settings | None = None,
    ) -> Self:
        """Open the hub in a directory that `settings.create_hub` made.

        `rules` are the guard's further rules; `settings` replace those of the directory and environment.

        Raises:
            ConfigurationError: of the directory, its settings, its key or its database.
        """
        settings = settings or load_settings(path)
        signer = KeyFile(settings.key_path)
        log_days = timedelta(days=settings.withdrawal_log_days)
        withdrawal_log = WithdrawalLog(settings.withdrawal_log_path, log_days, clock)
        withdrawal_log.create_if_missing()
        engine, guard = open_engine(settings.database_url), Guard(tuple(rules))
        signals, current_keys = SignalView(engine), CurrentKeys(engine)
        limiter = RateLimiter(Limit(settings.partner_rate, settings.partner_burst))
        writers = Writers.from_settings(engine, settings)
        dispatcher = MessageDispatcher(settings, signer, signals, GrantCache(engine), limiter, clock)
        registrar = Registrar(engine, writers.ledger, dispatcher.ingest, guard, limiter, clock)
        heartbeat = timedelta(seconds=settings.heartbeat_interval_seconds)
        outbox = StreamOutbox(settings.issuer, signer, clock, heartbeat)

        def today() -> date:
            return settings.as_of or clock().date()

        push = (PushPolicy.from_settings(settings), settings.push_timeout_seconds)
        streams = StreamService(settings.issuer, outbox, engine, writers.streams, guard, clock, today, *push)
        rights = RightsService(
            settings.issuer,
            signer,
            engine,
            writers.ledger,
            writers.reads,
            limiter,
            withdrawal_log,
            current_keys,
            clock,
            today,
        )
        fetching = PushClient(PushPolicy.from_settings(settings), settings.push_timeout_seconds)
        interval, revoked = timedelta(seconds=settings.jwks_refresh_seconds), withdrawal_log.revoked_kids
        key_sets = KeySetFetcher(engine, writers.ledger, fetching, interval, revoked, clock)
        return cls(
            settings,
            streams,
            StreamManagement(
                streams,
                StreamAuth(settings.issuer, signer, current_keys, clock),
                limiter,
                settings.partner_streams,
            ),
            withdrawal_log,
            rights,
            key_sets,
            engine,
            writers,
            signals,
            dispatcher,
            registrar,
            current_keys,
            guard,
            clock,
            limiter,
        )

    def close(self) -> None:
        """Finish what is being written, and close the database.

        In a child of the process that opened the hub there is nothing to finish.
        """
        if self._writers.ledger.in_own_process:
            self._registrar.close()
            self._writers.close()
        self._engine.dispose()

    def _read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        with read_transaction(self._engine) as connection:
            return query(connection, *args, **options)

    # For partners.

    def receive(self, body: bytes) -> bytes:
        """Process an envelope with its disclosures, or a registration; returns a signed receipt.

        The same message again gets the same receipt.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            GuardRefusedError: a registration.
        """
        return self.submit(body).result()

    def list_keys(self) -> dict[str, str]:
        """The issuers of partners, by the ids of their keys that are not revoked."""
        return {kid: issuer for issuer, kids in self._read(keys.kids_by_issuer).items() for kid in kids}

    def find_sender(self, kid: str) -> str | None:
        """The issuer of the partner with this key, which may not be valid any more; None for no partner."""
        owner = self._keys.find_key(kid)
        return None if owner is None else owner[0]

    def verify_bearer(self, token: bytes) -> str:
        """The issuer of the partner that signed a bearer token, or to which this hub issued it.

        Raises:
            InvalidInputError: see `read_auth.verify_signature` and `StreamAuth.authenticate`.
        """
        auth = self.stream_management.auth
        if auth.is_own(token):
            return auth.authenticate(token).request.issuer
        return read_auth.verify_signature(token, self._keys, self._clock())

    def submit(self, body: bytes, rest: Callable[[], bytes] = bytes) -> Future[bytes]:
        """Verify a message, and return the future of its receipt, which may raise these errors too.

        `rest` reads what follows if `body` is its token alone: only once the token's signature was verified.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            RateLimitedError: the sender exceeds its rate limit.
            GuardRefusedError: a registration; only the future raises it.
        """
        message = self._dispatcher.verify(body, self._keys, rest)
        if message.event is EventType.REGISTRATION:
            return self._registrar.submit(message)
        receipt = self._writers.ledger.submit(self._dispatcher.task(message))
        if message.event is EventType.SIGNALS:
            receipt.add_done_callback(partial(self._dispatcher.charge_refused, message))
        return receipt

    def read_scores(self, token: bytes, subjects: Sequence[str]) -> dict[str, Score | None]:
        """The scores of subjects, for a reader; None for one without consent or without a score.

        `token` is a JWT of type `signing.jwt.READ_TYP`, signed by the reader, valid for one use; `subjects`
        are 1 to `MAX_SUBJECTS` of the reader's own pseudonyms.

        Raises:
            InvalidInputError: the token was rejected, or the reader may not read for this purpose.
            GuardRefusedError: no reader may read for it.
            RateLimitedError: the reader exceeds its rate limit.
        """
        now, audience = self._clock(), self.settings.issuer
        request = read_auth.authenticate_read(token, self._keys, audience=audience, now=now)
        with self._rate_limiter.charging_refusals(request.issuer, request.at, len(subjects)):
            self._rate_limiter.check(request.issuer, request.at)
            terms = (self._guard, self.streams.today())
            computed = self._read(score_reads.read_scores, request, subjects, *terms)

            def work(connection: Connection) -> dict[str, Score | None]:
                current = evolve(request, at=max(request.at, self._clock()))
                response = score_reads.bring_up_to_date(connection, current, computed, *terms)
                score_reads.log_reads(connection, request, response)
                partner, count = response.partner, len(subjects)
                self._rate_limiter.spend(connection, partner, request.issuer, count, request.at)
                return response.scores

            return self._writers.reads.run(work, LockScope.SHARED, urgent=True)

    def jwks(self) -> dict[str, Any]:
        """The hub's public keys (RFC 7517 section 5), which verify receipts, and their rotations."""
        return own_keys.load_published(self.settings).to_dict()

    def is_ready(self) -> bool:
        """Whether the database can be read and the writers accept work.

        Raises:
            ConfigurationError: a stored policy was altered, or the tables are of another version.
        """
        return (
            self._read(migrations.check_version) and self.list_policies() is not None and self._writers.alive
        )

    # For operators: partners.

    def add_partner(
        self,
        issuer: str,
        jwks: Iterable[Mapping[str, Any]],
        *,
        not_before: datetime | None = None,
        allow_lookalike: bool = False,
    ) -> None:
        """Add a partner, or further keys of one: keys that overlap are a rotation. Keys are Ed25519, public.

        Args:
            issuer: its URL, in any spelling: see `model.issuers`.
            jwks: its keys.
            not_before: from when on they are valid; by default from now on.
            allow_lookalike: add it although it looks like another one: see `find_lookalikes`.

        Raises:
            InvalidInputError: a key is invalid or was revoked; the issuer is no URL, is this hub, or looks
                like another one.
        """
        issuer = self._check_issuer(issuer, allow_lookalike)
        start, jwks = not_before or self._clock(), tuple(jwks)
        # The database knows the keys that it revoked; after a restore, the log knows more.
        keys.check_not_revoked(jwks, self.withdrawal_log.revoked_kids())
        self._writers.ledger.run(partial(keys.add_keys, issuer=issuer, jwks=jwks, not_before=start))

    def add_partner_by_url(self, issuer: str, url: str, *, allow_lookalike: bool = False) -> int:
        """Add a partner whose keys are those of a JWK set at a URL, now and later. Returns how many changed.

        Raises:
            InvalidInputError: the URL is not allowed, or the set not valid; of the issuer as `add_partner`.
            RetryableError, ConfigurationError: the URL is not available.
        """
        return self.key_sets.add(self._check_issuer(issuer, allow_lookalike), url)

    def _check_issuer(self, issuer: str, allow_lookalike: bool) -> str:
        issuer = normalize_issuer(issuer)
        if issuer == self.settings.issuer:
            raise InvalidInputError("is this hub itself", field="issuer")
        if not allow_lookalike and (similar := self.find_lookalikes(issuer)):
            raise InvalidInputError(
                f"{issuer} looks like {similar[0]}", field="issuer", hint="check every letter; then allow it"
            )
        return issuer

    def find_lookalikes(self, issuer: str) -> list[str]:
        """The issuers of this hub and its partners that a person may take `issuer` for."""
        return self._read(keys.find_lookalikes, normalize_issuer(issuer), self.settings.issuer)

    def list_partners(self) -> list[Partner]:
        """Every partner, with its keys and what it registered."""
        return self._read(registrations.list_partners)

    def revoke_key(self, kid: str, at: datetime, *, issuer: str | None = None) -> RevocationImpact:
        """Reject a key from `at` on; what it signed and the hub received since stops counting at once.

        The keys that it announced since are revoked too.

        Raises:
            InvalidInputError: no partner, or not this one, has such a key.
        """

        def work(connection: Connection) -> tuple[keys.PartnerKey, int]:
            key = keys.with_announced(connection, keys.find_key(connection, kid, issuer), at)
            keys.revoke_key(connection, key, at)
            subject_states.rescan(connection)
            return key, self._signals.restore(connection, key.partner)

        with read_transaction(self._engine) as connection:
            revoked = keys.with_announced(connection, keys.find_key(connection, kid, issuer), at)
        for one in revoked.all:
            self.withdrawal_log.record_key_revocation(one.issuer, one.kid, at)
        key, retained = self._writers.ledger.run(work)
        return self._read(key_revocation.revocation_impact, key, at, retained)

    def has_key(self, kid: str) -> bool:
        """Whether a partner has, or had, the key with this thumbprint."""
        return self._read(keys.is_known, kid)

    def preview_key_revocation(self, kid: str, at: datetime) -> RevocationImpact:
        """What `revoke_key` would change. Changes nothing. Raises as `revoke_key`."""
        with read_transaction(self._engine) as connection:
            key = keys.with_announced(connection, keys.find_key(connection, kid), at)
            return key_revocation.revocation_impact(connection, key, at, None)

    def set_partner_limit(self, issuer: str, limit: Limit | None) -> None:
        """Set a partner's own rate limit, or None for the default. It applies at once.

        Raises:
            InvalidInputError: no such partner.
        """

        def work(connection: Connection) -> None:
            partner = keys.partner_id(connection, issuer)
            rate_limit.set_limit(connection, partner, limit, self._rate_limiter.default, self._clock())

        self._writers.ledger.run(work)

    def partner_limit(self, issuer: str) -> Limit:
        """The rate limit of a partner. Raises `InvalidInputError`: no such partner."""
        with read_transaction(self._engine) as connection:
            return self._rate_limiter.limit_of(connection, keys.partner_id(connection, issuer))

    # For operators: policies and signals.

    def set_policy(self, policy: Policy, *, reviewed_by: str = "") -> None:
        """Make a policy the current one of its context; `reviewed_by` is who reviewed its names, if needed.

        Raises:
            GuardRefusedError: also because of the kinds that are registered.
            InvalidInputError: its digest is not that of its rules, or its names need a review.
        """

        def work(connection: Connection) -> None:
            if policies.set_policy(connection, policy, self._guard, self._clock(), reviewed_by):
                subject_states.rescan(connection, stream_table.c.context == policy.context)

        self._writers.ledger.run(work)

    def propose_observation(self, name: str, entry: Observation, by: str) -> Proposal:
        """Record an observation that the catalogue lacks. It counts once two people approved it.

        Raises:
            GuardRefusedError: no approval could let it pass.
            InvalidInputError: it was proposed already, or `by` is no name.
        """
        return self._writers.ledger.run(lambda c: proposals.propose(c, name, entry, by, self._clock()))

    def approve_observation(self, name: str, by: str) -> Proposal:
        """Record one person's approval of a proposed observation.

        Raises:
            InvalidInputError: it was not proposed, or this person approved it already.
        """
        return self._writers.ledger.run(lambda c: proposals.approve(c, name, by, self._clock()))

    def list_proposals(self) -> list[Proposal]:
        """The proposed observations, with the people that approved them."""
        return self._read(proposals.list_proposals)

    def list_kind_usage(self) -> list[KindUsage]:
        """What each partner sent of each kind, and what does not fit its observation."""
        return self._read(kind_usage.list_usage)

    def has_more_signals(self, count: int) -> bool:
        """Whether the hub has more signals than `count`."""
        return self._read(kind_usage.has_more_signals, count)

    def approved_guard(self) -> Guard:
        """The hub's guard, with the observations that its operators approved."""
        return self._guard.with_approved(self._read(proposals.approved_digests))

    def list_policies(self) -> tuple[Policy, ...]:
        """The current policy of every context that has one."""
        return self._read(policies.current_policies)

    def rebuild(self) -> RebuildReport:
        """Make the tables of signals and registrations equal to the ledger.

        An envelope that does not verify is quarantined: it does not count, and the others do.
        """

        def work(connection: Connection) -> RebuildReport:
            report = verification.rebuild(connection, self._signals, self._clock())
            if report.changes:
                subject_states.rescan(connection)
            return report

        return self._writers.ledger.run(work)

    def check_ledger(self) -> VerificationReport:
        """The quick part of `verify_ledger`: it counts, and reads no envelopes."""
        return self._read(verification.check_quickly)

    def verify_ledger(self, step: Callable[[int], None] = lambda _: None) -> VerificationReport:
        """Compare the ledger with its numbering and signatures, and the tables with the ledger.

        Changes nothing, and blocks no writer. `step` is called with the number of envelopes done.
        """
        return self._read(verification.verify, self._signals, step)

    def count_envelopes(self) -> int:
        """How many envelopes the ledger has."""
        return self._read(verification.count_envelopes)

    def export_signals(self, path: Path, context: str) -> int:
        """Write all signals that count for a context to a Parquet file."""
        from sesame_sdk.hub.scoring import parquet_export  # imports DuckDB, which takes half a second

        return self._read(parquet_export.export_parquet, path, context, self._clock())

    # For people, through the operator.

    def add_grants(self, pairs: Iterable[PersonGrant]) -> int:
        """Record what people consented to, all or none. Returns how many grants were new.

        Raises:
            InvalidInputError: a partner is unknown, or a pseudonym belongs to another person.
        """
        return self._change_grants(partial(grants.add_grants, pairs=tuple(pairs)))

    def withdraw_grants(self, person: str, partner: str, direction: Direction | None = None) -> int:
        """End what a person granted to a partner, from now on. Returns how many grants that ended.

        Raises:
            InvalidInputError: no such partner.
        """
        self.withdrawal_log.record_withdrawal(person, partner, direction)
        at = self._clock()
        return self._change_grants(lambda db: grants.withdraw_grants(db, person, partner, direction, at))

    def _change_grants(self, change_grants: Callable[[Connection], GrantChange]) -> int:
        def work(connection: Connection) -> int:
            change = change_grants(connection)
            subject_states.enqueue_withdrawals(connection, change.persons, self._clock())
            subject_states.mark_for_rescoring(connection, lambda: change.persons)
            return change.count

        return self._writers.ledger.run(work)

    def list_grants(self, person: str | None = None) -> list[PersonGrant]:
        """Every grant with its person, or one person's; also those that have ended."""
        return self._read(grants.list_grants, person)

    def explain(self, person: str, context: str) -> Explanation | None:
        """A person's own view of a score, with every reason and ways to raise it; see `scores.explain`."""
        return self._read(scores.explain, person, context, self.streams.today(), self._clock())

    def what_if(self, person: str, context: str, hypothetical: Iterable[Hypothetical]) -> Estimate:
        """An estimate of a person's score with these signals added; see `scores.what_if` and its errors."""
        today = self.streams.today()
        return self._read(scores.what_if, person, context, hypothetical, today, self._clock())

    def list_people(self) -> list[str]:
        """Everyone in this hub, by the operator's own references."""
        return self._read(subjects.list_people)

    def list_score_reads(self, person: str) -> list[ScoreRead]:
        """Every read of a person's scores, oldest first."""
        return self._read(score_reads.list_score_reads, person)
