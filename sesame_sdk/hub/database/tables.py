"""The tables of all features: they refer to each other, so they are below the packages that use them.

Times are microseconds since 1970; names that recur a million times are small integers. `envelopes` and
`registrations` are append-only. `signals` is derived from `envelopes` and can be rebuilt, so it has no
foreign keys, whose checks would cost more than the rest of an insert.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

metadata = sa.MetaData()
#: SQLite assigns ids only to a column of exactly its INTEGER type.
Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Of the sixteen bytes of a signal's id, the last ones follow from its natural key alone.
KEY_BYTES = 10


def _table(name: str, *columns: SchemaItem, **options: Any) -> sa.Table:  # noqa: ANN401 - those of `Table`
    return sa.Table(name, metadata, *columns, **options)


def _numbered(name: str, *columns: SchemaItem) -> sa.Table:
    """A table whose rows have an id that no other row ever had, also after the row was deleted.

    Other rows, log lines and work in progress name a row by its id. SQLite would use the highest one again.
    """
    return _table(name, sa.Column("id", Key, primary_key=True), *columns, sqlite_autoincrement=True)


def _required(type_: TypeEngine[Any] | type[TypeEngine[Any]], *names: str) -> list[sa.Column[Any]]:
    """Columns of one type, never null."""
    return [sa.Column(name, type_, nullable=False) for name in names]


def _disclosed_columns() -> list[sa.Column[Any]]:
    """What a disclosure says of a signal. See `ids.split_signal_id` for its key, and the time in its id."""
    return [
        *_required(sa.BigInteger, "person", "partner"),
        sa.Column("key", sa.LargeBinary(KEY_BYTES), nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        *_required(sa.BigInteger, "occurred_at", "envelope", "id_time"),
    ]


def _partial_index(suffix: str, *columns: str, where: str) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(f"stream_subjects_{suffix}", *columns, sqlite_where=condition, postgresql_where=condition)


partners = _numbered(
    "partners",
    sa.Column("issuer", sa.String(256), nullable=False, unique=True),
    # Where it publishes its keys, and when they are fetched again; null if the operator adds them.
    sa.Column("jwks_url", sa.String(512)),
    sa.Column("jwks_due_at", sa.BigInteger),
)
partner_keys = _table(
    "partner_keys",
    sa.Column("partner", sa.ForeignKey("partners.id"), primary_key=True),
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("jwk", sa.JSON, nullable=False),
    sa.Column("not_before", sa.BigInteger, nullable=False),
    sa.Column("not_after", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    # The key that signed its announcement; null if the operator added it.
    sa.Column("announced_by", sa.String(64)),
)
people = _numbered(
    "people",
    sa.Column("person", sa.String(128), nullable=False, unique=True),
    # Counts the changes of grants, pseudonyms and disputes: see `scoring.score_reads`.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
)
pseudonyms = _numbered(
    "pseudonyms",
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False, index=True),
    # When it replaced a wrong one: see `rights.correction`.
    sa.Column("corrected_at", sa.BigInteger),
    sa.UniqueConstraint("partner", "subject"),
)
kinds = _numbered("kinds", sa.Column("name", sa.String(128), nullable=False, unique=True))
grants = _numbered(
    "grants",
    sa.Column("pseudonym", sa.ForeignKey("pseudonyms.id"), nullable=False),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("given_at", sa.BigInteger, nullable=False),
    sa.Column("purpose", sa.String(256)),
    sa.Column("context", sa.String(32)),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("withdrawn_at", sa.BigInteger),
    sa.Column("adult", sa.Boolean, nullable=False),
    # Of all terms: the same consent recorded twice is one consent.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    # Covers all that decides whether a grant is valid, so ingest need not read the rows.
    sa.Index("grants_by_pseudonym", "pseudonym", "direction", "given_at", "expires_at", "withdrawn_at"),
)
grant_kinds = _table(
    "grant_kinds",
    sa.Column("grant_id", sa.ForeignKey("grants.id"), nullable=False),
    sa.Column("kind", sa.ForeignKey("kinds.id"), nullable=False),
    sa.PrimaryKeyConstraint("grant_id", "kind"),
    sqlite_with_rowid=False,
)
grant_crossings = _table(
    "grant_crossings",
    sa.Column("grant_id", sa.ForeignKey("grants.id"), nullable=False),
    sa.Column("context", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("grant_id", "context"),
    sqlite_with_rowid=False,
)
#: How many envelopes each partner has, and the chain digest of the last: apart from the envelopes, so that a
#: missing last one is noticed. See `ingest.ledger`.
ledger_heads = _table(
    "ledger_heads",
    sa.Column("partner", sa.ForeignKey("partners.id"), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("chain", sa.LargeBinary(32), nullable=False),
)
envelopes = _numbered(
    "envelopes",
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    # Counts the partner's envelopes from 1, without gaps. Ids may have gaps.
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("jti", sa.String(64), nullable=False),
    sa.Column("event", sa.String(128), nullable=False),
    sa.Column("kid", sa.String(64), nullable=False),
    # `verified_at` is the time that ``exp`` was compared with; the envelope may wait until `received_at`.
    *_required(sa.BigInteger, "issued_at", "verified_at", "received_at"),
    # The hub's issuer URL when the envelope was verified.
    sa.Column("audience", sa.String(256), nullable=False),
    # The digest: SHA-256 of what was sent, which identifies the same envelope.
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False),
    # See `ledger.IngestOutcome`, and `ledger.chain_digest`.
    *_required(sa.LargeBinary, "outcome", "chain"),
    # Last: SQLite reads all of a long column to reach the next one.
    *_required(sa.LargeBinary, "token", "disclosures"),
    sa.UniqueConstraint("partner", "jti"),
    sa.UniqueConstraint("partner", "number"),
    # Finds what a revoked key signed without reading tokens.
    sa.Index("envelopes_by_key", "partner", "kid", "received_at"),
)
#: Envelopes that a rebuild could not verify: they count like those of a revoked key, not at all.
quarantined_envelopes = _table(
    "quarantined_envelopes",
    sa.Column("envelope", sa.ForeignKey("envelopes.id"), primary_key=True),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("quarantined_at", sa.BigInteger, nullable=False),
)
signals = _table(
    "signals",
    *_disclosed_columns(),
    sa.PrimaryKeyConstraint("person", "partner", "key"),
    sqlite_with_rowid=False,
)
registrations = _table(
    "registrations",
    sa.Column("envelope", sa.ForeignKey("envelopes.id"), primary_key=True),
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    sa.Column("plugin", sa.String(64), nullable=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
)
registered_kinds = _table(
    "registered_kinds",
    sa.Column("registration", sa.ForeignKey("registrations.envelope"), primary_key=True),
    sa.Column("kind", sa.ForeignKey("kinds.id"), primary_key=True),
    sa.Column("context", sa.String(32), nullable=False),
    sa.Column("declaration", sa.LargeBinary, nullable=False),
)
registered_consumers = _table(
    "registered_consumers",
    sa.Column("registration", sa.ForeignKey("registrations.envelope"), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("purpose", sa.String(256), nullable=False),
    sa.Column("context", sa.String(32), nullable=False),
)
policies = _numbered(
    "policies",
    sa.Column("context", sa.String(32), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("set_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    # The person that reviewed its names; null if nothing in them was in doubt.
    sa.Column("reviewed_by", sa.String(100)),
)
proposals = _numbered(
    "proposals",
    sa.Column("name", sa.String(48), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("proposed_by", sa.String(100), nullable=False),
    sa.Column("proposed_at", sa.BigInteger, nullable=False),
)
proposal_approvals = _table(
    "proposal_approvals",
    sa.Column("proposal", sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("approved_at", sa.BigInteger, nullable=False),
)
score_reads = _numbered(
    "score_reads",
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    sa.Column("purpose", sa.String(256), nullable=False),
    sa.Column("context", sa.String(32), nullable=False),
    sa.Column("read_at", sa.BigInteger, nullable=False),
    sa.Column("answered", sa.Boolean, nullable=False),
)
#: Used read tokens, until they expire.
read_tokens = _table(
    "read_tokens",
    sa.Column("partner", sa.ForeignKey("partners.id"), primary_key=True),
    sa.Column("jti", sa.String(64), primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
)
#: One row for what the processes cache or compute; its version is a new random number after every change.
cache_versions = _table(
    "cache_versions",
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
#: One row for each partner that was ever charged or limited; rate and burst only where they are its own.
rate_limits = _table(
    "rate_limits",
    sa.Column("partner", sa.ForeignKey("partners.id"), primary_key=True),
    sa.Column("rate", sa.BigInteger),
    sa.Column("burst", sa.BigInteger),
    sa.Column("theoretical_arrival_ns", sa.BigInteger, nullable=False),
)
#: Persons whose scores may have changed: one row for each envelope, with ids of 64 bits. A row for each
#: person would cost more than the rest of ingest.
rescore_queue = _numbered("rescore_queue", sa.Column("person_ids", sa.LargeBinary, nullable=False))
#: One row for each stream of a reader: see `streams.streams`.
streams = _numbered(
    "streams",
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    sa.Column("purpose", sa.String(256), nullable=False),
    sa.Column("context", sa.String(32), nullable=False),
    # Where to push, with which bearer token; null if the reader polls.
    sa.Column("endpoint", sa.String(512)),
    sa.Column("authorization_header", sa.String(1024)),
    sa.Column("events_requested", sa.JSON, nullable=False),
    sa.Column("description", sa.String(100), nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    *_required(sa.BigInteger, "verification_requested_at", "last_message_at", "seq"),
    # The day for which everyone was rescored; null if something changed since.
    sa.Column("as_of", sa.String(10)),
    # The scan in progress: see `streams.rescoring`.
    sa.Column("scan_as_of", sa.String(10)),
    *_required(sa.BigInteger, "scan_cursor", "scan_end", "scan_turn"),
    sa.UniqueConstraint("partner", "purpose", "context"),
)
#: The latest state of each person for each stream, delivered or pending.
stream_subjects = _table(
    "stream_subjects",
    sa.Column("stream", sa.ForeignKey("streams.id"), nullable=False),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("event", sa.String(128), nullable=False),
    sa.Column("points", sa.Double),
    sa.Column("band", sa.String(32)),
    sa.Column("base", sa.Double, nullable=False),
    sa.Column("policy", sa.String(64), nullable=False),
    sa.Column("as_of", sa.String(10), nullable=False),
    # When the grant expires, if it does.
    sa.Column("grant_expires_at", sa.BigInteger),
    # 0: nothing is pending; 1: a score; 2: a withdrawal or erasure, which goes first.
    sa.Column("pending_priority", sa.Integer, nullable=False),
    # The message that contains it now; the dead letter that contained it.
    sa.Column("message_id", sa.BigInteger),
    sa.Column("dead_message_id", sa.BigInteger),
    sa.PrimaryKeyConstraint("stream", "person"),
    sa.Index("stream_subjects_by_person", "person"),
    _partial_index("pending", "stream", "pending_priority", "seq", where="pending_priority > 0"),
    _partial_index("by_grant_expiry", "grant_expires_at", where="grant_expires_at IS NOT NULL"),
    _partial_index("by_message", "message_id", where="message_id IS NOT NULL"),
    _partial_index("by_dead_message", "dead_message_id", where="dead_message_id IS NOT NULL"),
    sqlite_with_rowid=False,
)
#: Pending messages, and dead letters, whose token is deleted.
stream_messages = _numbered(
    "stream_messages",
    sa.Column("stream", sa.ForeignKey("streams.id"), nullable=False, index=True),
    sa.Column("jti", sa.String(64), nullable=False, unique=True),
    sa.Column("event", sa.String(128), nullable=False),
    sa.Column("subject_count", sa.Integer, nullable=False),
    # The highest sequence number of a state in it.
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("token", sa.LargeBinary, nullable=False),
    sa.Column("dead_lettered", sa.Boolean, nullable=False),
    sa.Column("error_code", sa.String(64), nullable=False),
)
#: One row for each signal that was ever disputed.
disputes = _numbered(
    "disputes",
    sa.Column("person", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False),
    # Of the signal: see `signals`. Its id is the one under which it was disputed.
    sa.Column("key", sa.LargeBinary(KEY_BYTES), nullable=False),
    sa.Column("id_time", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.ForeignKey("kinds.id"), nullable=False),
    # Whether the dispute excludes the signal from scores.
    sa.Column("frozen", sa.Boolean, nullable=False),
    # The person's own words, shown with the signal.
    sa.Column("statement", sa.String(2000), nullable=False),
    sa.UniqueConstraint("person", "partner", "key"),
)
#: The steps of each dispute, in order; append-only.
dispute_steps = _numbered(
    "dispute_steps",
    sa.Column("dispute", sa.ForeignKey("disputes.id"), nullable=False, index=True),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("happened_at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("comment", sa.String(1000), nullable=False),
)
#: Erasures, without the person.
erasures = _numbered(
    "erasures",
    sa.Column("erased_at", sa.BigInteger, nullable=False),
    sa.Column("signals", sa.Integer, nullable=False),
    # When the last notice was delivered; null until then.
    sa.Column("notified_at", sa.BigInteger),
)
#: Undelivered notices to partners. Delivery deletes the row.
notices = _numbered(
    "notices",
    sa.Column("partner", sa.ForeignKey("partners.id"), nullable=False, index=True),
    sa.Column("jti", sa.String(64), nullable=False, unique=True),
    sa.Column("event", sa.String(64), nullable=False),
    # The partner's own pseudonym of the person, the only data that outlives an erasure, until delivery.
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # Exactly one of the two is set.
    sa.Column("dispute", sa.ForeignKey("disputes.id"), index=True),
    sa.Column("erasure", sa.ForeignKey("erasures.id"), index=True),
)
#: What other envelopes said of a signal, before the one that its row refers to or again: see
#: `scoring.signal_history`.
further_disclosures = _table(
    "further_disclosures",
    *_disclosed_columns(),
    sa.PrimaryKeyConstraint("person", "partner", "key", "envelope"),
    sqlite_with_rowid=False,
)
