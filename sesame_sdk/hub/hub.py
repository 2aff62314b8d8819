"""A hub in one process: the facade over all of this room. `api` offers a part of it over HTTP.

Safe to share between threads. Several processes may open one ledger (a server, and an operator's
command line beside it): what one changes, the others see at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from attrs import frozen
from sqlalchemy import Connection, Engine

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.backup.withdrawal_log import WithdrawalLog
from sesame_sdk.hub.consent import grant_cache, grants, subjects
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database import migrations, timestamps
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import open_engine, read_transaction
from sesame_sdk.hub.database.writers import Writers
from sesame_sdk.hub.ingest.dispatcher import MessageDispatcher
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.partners import key_revocation, keys, partners, rate_limit
from sesame_sdk.hub.partners.key_revocation import RevocationImpact
from sesame_sdk.hub.partners.keys import CurrentKeys, PartnerKey
from sesame_sdk.hub.partners.partners import Partner
from sesame_sdk.hub.partners.rate_limit import Limit, RateLimiter
from sesame_sdk.hub.rights.service import RightsService
from sesame_sdk.hub.scoring import policies, read_auth, score_reads, scores
from sesame_sdk.hub.scoring.score_reads import ScoreRead
from sesame_sdk.hub.settings import Settings, load_settings
from sesame_sdk.hub.streams.management import StreamManagement
from sesame_sdk.hub.streams.service import StreamService, fed_by
from sesame_sdk.interfaces import Closeable, GuardRule
from sesame_sdk.model.explanation import Estimate, Explanation, Hypothetical
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.signing.keys import SigningKey, jwk_set

Clock = Callable[[], datetime]


@frozen(repr=False)
class Hub(Closeable):
    """Takes envelopes and registrations, keeps grants and policies, gives scores.

    Every method that changes something returns when that is on disk.

    Raises:
        Retryable: from any method that changes something: the ledger is busy.
    """

    settings: Settings
    _signer: SigningKey
    _engine: Engine
    _writers: Writers
    _signals: SignalView
    _dispatcher: MessageDispatcher
    _keys: CurrentKeys
    _guard: Guard
    _clock: Clock
    _rate_limiter: RateLimiter
    streams: StreamService
    stream_management: StreamManagement
    withdrawal_log: WithdrawalLog
    rights: RightsService

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock = timestamps.utc_now,
        rules: Iterable[GuardRule] = (),
        settings: Settings | None = None,
    ) -> Self:
        """Open the hub in a folder that `settings.create_hub` made.

        Args:
            path: the folder.
            clock: says what time it is, in UTC.
            rules: further rules for the guard.
            settings: those of the folder and the environment, unless others are given.

        Raises:
            Misconfigured: the folder, its settings, its key or its database.
        """
        settings = settings or load_settings(path)
        signer = SigningKey.load(settings.key_path)
        withdrawal_log = WithdrawalLog(
            settings.withdrawal_log_path, timedelta(days=settings.withdrawal_log_days), clock
        )
        withdrawal_log.create_if_missing()
        engine = open_engine(settings.database_url)
        further: tuple[GuardRule, ...] = tuple(rules)
        guard = Guard(further)
        view = SignalView(engine, settings.issuer)
        allowed = RateLimiter(Limit(settings.partner_rate, settings.partner_burst))
        door = MessageDispatcher(settings, signer, view, GrantCache(engine), guard, allowed, clock)
        writers = Writers.from_settings(engine, settings)
        keys, fed = CurrentKeys(engine), fed_by(settings, door.sign, engine, writers.streams, guard, clock)
        reception = StreamManagement(fed, keys, allowed)
        rights = RightsService(
            settings.issuer, signer, engine, writers.ledger, withdrawal_log, keys, clock, fed.today
        )
        core = (settings, signer, engine, writers, view, door, keys, guard, clock, allowed)
        return cls(*core, fed, reception, withdrawal_log, rights)

    def close(self) -> None:
        """Finish what is being written, and let go of the database."""
        self._writers.close()
        self._engine.dispose()

    # What partners do.

    def receive(self, body: bytes) -> bytes:
        """Take an envelope of signals or a registration, and answer with a signed receipt.

        The same token again gets the same receipt.

        Args:
            body: a Security Event Token, with disclosures behind it if it is an envelope.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            Refused: a registration, by the guard.
        """
        return self.submit(body).result()

    def submit(self, body: bytes) -> Future[bytes]:
        """The same in two steps: verifies at once, and gives what will hold the receipt.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4. The future may hold one too, or a
                `Refused`.
            Throttled: the sender asked for more than it may. The future may hold one too.
        """
        return self._writers.ledger.submit(self._dispatcher.knock(body, self._keys))

    def read_scores(self, token: bytes, subjects: Sequence[str]) -> dict[str, Score | None]:
        """The scores of people, for a reader. None for whoever is unknown, did not agree, or has no score.

        Args:
            token: a JWT of type `signing.tokens.READ_TYP`, signed by the reader, good for one use.
            subjects: 1 to `MAX_SUBJECTS` of the reader's own pseudonyms.

        Raises:
            InvalidInputError: the token is not believed, or the reader may not read for this purpose at all.
            Refused: nobody may read for it.
            Throttled: the reader asked for more than it may.
        """
        request = read_auth.authenticate_read(
            token, self._keys, audience=self.settings.issuer, now=self._clock()
        )
        self._rate_limiter.check(request.issuer, request.at)
        with read_transaction(self._engine) as connection:
            found = score_reads.read_scores(connection, request, subjects, self._guard, self.streams.today())

        def work(connection: Connection) -> None:
            score_reads.log_reads(connection, request, found)
            self._rate_limiter.spend(connection, found.partner, request.issuer, len(subjects), request.at)

        self._writers.reads.run(work, LockScope.SHARED, urgent=True)
        return found.scores

    def is_ready(self) -> bool:
        """Whether it can do its work: the ledger can be read, and the writer takes work.

        Raises:
            Misconfigured: a policy in the ledger was changed, or its tables are of another version.
        """
        with read_transaction(self._engine) as connection:
            there = migrations.check_version(connection)
        return there and self.list_policies() is not None and self._writers.alive

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Our public keys (RFC 7517 section 5), by which receipts are verified."""
        return jwk_set([self._signer.public_jwk])

    # What operators do.

    def add_partner(
        self, issuer: str, jwks: Iterable[Mapping[str, Any]], *, not_before: datetime | None = None
    ) -> None:
        """Admit a partner, or give one further keys: old and new overlap, and that is a rotation.

        Args:
            issuer: its URL.
            jwks: public Ed25519 keys.
            not_before: when they begin to count; now, if it is not said.

        Raises:
            InvalidInputError: a key is none, or the issuer is ourselves or no URL.
        """
        if issuer == self.settings.issuer:
            raise InvalidInputError("is this hub itself", field="issuer")
        start = not_before or self._clock()
        self._writers.ledger.run(partial(keys.add_keys, issuer=issuer, jwks=tuple(jwks), not_before=start))

    def list_partners(self) -> list[Partner]:
        """Every partner, with its keys and what it registered."""
        with read_transaction(self._engine) as connection:
            return partners.list_partners(connection)

    def revoke_key(self, issuer: str, kid: str, at: datetime) -> None:
        """Refuse a key from `at` on. What it signed and we received since stops counting at once.

        Raises:
            InvalidInputError: no such partner, or it has no such key.
        """
        self.let_fall(kid, at, issuer=issuer)

    def let_fall(self, kid: str, at: datetime, *, issuer: str | None = None) -> RevocationImpact:
        """The same by thumbprint alone, since no two partners have a key in common; tells what fell."""

        def work(connection: Connection) -> tuple[PartnerKey, int]:
            key = keys.find_key(connection, kid, issuer)
            keys.revoke_key(connection, key, at)
            return key, self._signals.restore_duplicates(connection, key.partner)

        with read_transaction(self._engine) as connection:
            told = keys.find_key(connection, kid, issuer)
        self.withdrawal_log.record_key_revocation(told.issuer, kid, at)
        key, standing = self._writers.ledger.run(work)
        with read_transaction(self._engine) as connection:
            return key_revocation.revocation_impact(connection, key, at, self.settings.issuer, standing)

    def preview_key_revocation(self, kid: str, at: datetime) -> RevocationImpact:
        """What `let_fall` would let fall. Changes nothing.

        Raises:
            InvalidInputError: no partner has such a key.
        """
        with read_transaction(self._engine) as connection:
            key = keys.find_key(connection, kid)
            return key_revocation.revocation_impact(connection, key, at, self.settings.issuer, None)

    def set_partner_limit(self, issuer: str, limit: Limit | None) -> None:
        """Give a partner a limit of its own; None gives it the usual one back. It works at once.

        Raises:
            InvalidInputError: no such partner.
        """

        def work(connection: Connection) -> None:
            rate_limit.set_limit(
                connection,
                keys.partner_id(connection, issuer),
                limit,
                self._rate_limiter.default,
                self._clock(),
            )

        self._writers.ledger.run(work)

    def partner_limit(self, issuer: str) -> Limit:
        """How much a partner may ask.

        Raises:
            InvalidInputError: no such partner.
        """
        with read_transaction(self._engine) as connection:
            return rate_limit.limit_of(
                connection, keys.partner_id(connection, issuer), self._rate_limiter.default
            )

    def set_policy(self, policy: Policy) -> None:
        """Make a policy the one of its context.

        Raises:
            Refused: by the guard, looking also at the kinds that are registered.
            InvalidInputError: its digest is not that of its rules.
        """
        self._writers.ledger.run(
            partial(policies.set_policy, policy=policy, guard=self._guard, at=self._clock())
        )

    def list_policies(self) -> tuple[Policy, ...]:
        """The policy of every context that has one."""
        with read_transaction(self._engine) as connection:
            return policies.current_policies(connection)

    def rebuild_signals(self) -> int:
        """Make the table of signals again from the ledger. Returns how many signals there are.

        Raises:
            InvalidInputError: an envelope in the ledger no longer matches its signature.
        """
        return self._writers.ledger.run(self._signals.rebuild)

    def export_signals(self, path: Path, context: str) -> int:
        """Write every signal that counts for a context into a Parquet file; see `batch.export`."""
        from sesame_sdk.hub.scoring import (
            parquet_export,  # DuckDB is half a second to import, and seldom needed
        )

        with read_transaction(self._engine) as connection:
            return parquet_export.export_parquet(connection, path, context, self._clock())

    # What people do, by way of the operator.

    def add_grants(self, told: Iterable[tuple[str, Grant]]) -> int:
        """Record what people agreed to, all or none. Returns how many grants were new.

        Raises:
            InvalidInputError: a partner is unknown, or a pseudonym belongs to another person.
        """
        return self._writers.ledger.run(partial(grants.add_grants, told=tuple(told), at=self._clock()))

    def withdraw_grants(self, person: str, partner: str, direction: Direction | None = None) -> int:
        """End what a person granted to a partner, from now on. Returns how many grants that ended.

        Raises:
            InvalidInputError: no such partner.
        """
        self.withdrawal_log.record_withdrawal(person, partner, direction)
        return self._writers.ledger.run(
            partial(
                grants.withdraw_grants, person=person, partner=partner, direction=direction, at=self._clock()
            )
        )

    def list_grants(self, person: str | None = None) -> list[tuple[str, Grant]]:
        """Every grant with its person, or one person's; also those that have ended."""
        with read_transaction(self._engine) as connection:
            return grant_cache.list_grants(connection, person)

    def explain(self, person: str, context: str) -> Explanation | None:
        """A person's own view of a score, with every reason and the ways upwards; see `scores.explain`."""
        with read_transaction(self._engine) as connection:
            return scores.explain(connection, person, context, self.streams.today(), self._clock())

    def what_if(self, person: str, context: str, supposed: Iterable[Hypothetical]) -> Estimate:
        """An estimate for a person, if these signals were there too; see `scores.what_if`, and its errors."""
        with read_transaction(self._engine) as connection:
            return scores.what_if(connection, person, context, supposed, self.streams.today(), self._clock())

    def list_people(self) -> list[str]:
        """Everybody who is known here, by the operator's own references."""
        with read_transaction(self._engine) as connection:
            return subjects.list_people(connection)

    def list_score_reads(self, person: str) -> list[ScoreRead]:
        """Every read of a person's scores, oldest first."""
        with read_transaction(self._engine) as connection:
            return score_reads.list_score_reads(connection, person)
