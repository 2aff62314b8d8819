"""The tables of all features: they refer to each other, so they are below the packages that use them.

Times are microseconds since 1970; names that recur a million times are small integers. `envelopes` and
`registrations` are append-only. `signals` is derived from `envelopes` and can be rebuilt, so it has no
foreign keys, whose checks would cost more than the rest of an insert.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()
#: SQLite assigns ids only to a column of exactly its INTEGER type.
Key = BigInteger().with_variant(Integer(), "sqlite")


def _partial_index(suffix: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(f"stream_subjects_{suffix}", *columns, sqlite_where=condition, postgresql_where=condition)


partners = Table(
    "partners",
    metadata,
    Column("id", Key, primary_key=True),
    Column("issuer", String(256), nullable=False, unique=True),
)
partner_keys = Table(
    "partner_keys",
    metadata,
    Column("partner", ForeignKey("partners.id"), primary_key=True),
    Column("kid", String(64), primary_key=True),
    Column("jwk", JSON, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger),
    Column("revoked_at", BigInteger),
)
people = Table(
    "people",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person", String(128), nullable=False, unique=True),
    # Ids are never reused: messages about an erased person may still be pending.
    sqlite_autoincrement=True,
)
pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("id", Key, primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    UniqueConstraint("partner", "subject"),
)
kinds = Table(
    "kinds",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
)
grants = Table(
    "grants",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pseudonym", ForeignKey("pseudonyms.id"), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("purpose", String(256)),
    Column("context", String(32)),
    Column("expires_at", BigInteger),
    Column("withdrawn_at", BigInteger),
    Column("adult", Boolean, nullable=False),
    # Of all terms: the same consent recorded twice is one consent.
    Column("digest", String(64), nullable=False, unique=True),
    # Covers all that decides whether a grant is valid, so ingest need not read the rows.
    Index("grants_by_pseudonym", "pseudonym", "direction", "given_at", "expires_at", "withdrawn_at"),
)
grant_kinds = Table(
    "grant_kinds",
    metadata,
    Column("grant_id", ForeignKey("grants.id"), nullable=False),
    Column("kind", ForeignKey("kinds.id"), nullable=False),
    PrimaryKeyConstraint("grant_id", "kind"),
    sqlite_with_rowid=False,
)
grant_crossings = Table(
    "grant_crossings",
    metadata,
    Column("grant_id", ForeignKey("grants.id"), nullable=False),
    Column("context", String(32), nullable=False),
    PrimaryKeyConstraint("grant_id", "context"),
    sqlite_with_rowid=False,
)
envelopes = Table(
    "envelopes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("jti", String(64), nullable=False),
    Column("event", String(128), nullable=False),
    Column("kid", String(64), nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # SHA-256 of what was sent, which identifies the same envelope.
    Column("digest", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("disclosures", LargeBinary, nullable=False),
    Column("duplicates", Integer, nullable=False),
    # See `ledger.IngestOutcome`.
    Column("outcome", LargeBinary, nullable=False),
    UniqueConstraint("partner", "jti"),
    # Finds what a revoked key signed without reading tokens.
    Index("envelopes_by_key", "partner", "kid", "received_at"),
)
signals = Table(
    "signals",
    metadata,
    Column("person", BigInteger, nullable=False),
    Column("partner", BigInteger, nullable=False),
    Column("id", LargeBinary(16), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("envelope", BigInteger, nullable=False),
    PrimaryKeyConstraint("person", "partner", "id"),
    sqlite_with_rowid=False,
)
registrations = Table(
    "registrations",
    metadata,
    Column("envelope", ForeignKey("envelopes.id"), primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("plugin", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("issued_at", BigInteger, nullable=False),
)
registered_kinds = Table(
    "registered_kinds",
    metadata,
    Column("registration", ForeignKey("registrations.envelope"), primary_key=True),
    Column("kind", ForeignKey("kinds.id"), primary_key=True),
    Column("context", String(32), nullable=False),
    Column("declaration", LargeBinary, nullable=False),
)
registered_consumers = Table(
    "registered_consumers",
    metadata,
    Column("registration", ForeignKey("registrations.envelope"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("purpose", String(256), nullable=False),
    Column("context", String(32), nullable=False),
)
policies = Table(
    "policies",
    metadata,
    Column("id", Key, primary_key=True),
    Column("context", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
score_reads = Table(
    "score_reads",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("purpose", String(256), nullable=False),
    Column("context", String(32), nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Column("answered", Boolean, nullable=False),
)
#: Used read tokens, until they expire.
read_tokens = Table(
    "read_tokens",
    metadata,
    Column("partner", ForeignKey("partners.id"), primary_key=True),
    Column("jti", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
#: One row for each cache of the processes; its version is a new random number after every change.
cache_versions = Table(
    "cache_versions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
#: One row for each partner that was ever charged or limited; rate and burst only where they are its own.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("partner", ForeignKey("partners.id"), primary_key=True),
    Column("rate", BigInteger),
    Column("burst", BigInteger),
    Column("theoretical_arrival_ns", BigInteger, nullable=False),
)
#: Persons whose scores may have changed: one row for each envelope, with ids of 64 bits. A row for each
#: person would cost more than the rest of ingest.
rescore_queue = Table(
    "rescore_queue",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person_ids", LargeBinary, nullable=False),
)
#: One row for each stream of a reader: see `streams.streams`.
streams = Table(
    "streams",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("purpose", String(256), nullable=False),
    Column("context", String(32), nullable=False),
    # Where to push, with which bearer token; null if the reader polls.
    Column("endpoint", String(512)),
    Column("bearer_token", String(1024)),
    Column("events_requested", JSON, nullable=False),
    Column("description", String(400), nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("verification_requested_at", BigInteger, nullable=False),
    Column("last_message_at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # The day for which everyone was rescored, and the last person of the current scan.
    Column("as_of", String(10)),
    Column("scan_cursor", BigInteger, nullable=False),
    UniqueConstraint("partner", "purpose", "context"),
)
#: The latest state of each person for each stream, delivered or pending.
stream_subjects = Table(
    "stream_subjects",
    metadata,
    Column("stream", ForeignKey("streams.id"), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event", String(128), nullable=False),
    Column("points", Double),
    Column("band", String(32)),
    Column("base", Double, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("as_of", String(10), nullable=False),
    # When the grant expires, if it does.
    Column("grant_expires_at", BigInteger),
    # 0: nothing is pending; 1: a score; 2: a withdrawal or erasure, which goes first.
    Column("pending_priority", Integer, nullable=False),
    # The message that contains it now; the dead letter that contained it.
    Column("message_id", BigInteger),
    Column("dead_message_id", BigInteger),
    PrimaryKeyConstraint("stream", "person"),
    Index("stream_subjects_by_person", "person"),
    _partial_index("pending", "stream", "pending_priority", "seq", where="pending_priority > 0"),
    _partial_index("by_grant_expiry", "grant_expires_at", where="grant_expires_at IS NOT NULL"),
    _partial_index("by_message", "message_id", where="message_id IS NOT NULL"),
    _partial_index("by_dead_message", "dead_message_id", where="dead_message_id IS NOT NULL"),
    sqlite_with_rowid=False,
)
#: Pending messages, and dead letters, whose token is deleted.
stream_messages = Table(
    "stream_messages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("stream", ForeignKey("streams.id"), nullable=False, index=True),
    Column("jti", String(64), nullable=False, unique=True),
    Column("event", String(128), nullable=False),
    Column("subject_count", Integer, nullable=False),
    # The highest sequence number of a state in it.
    Column("seq", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("dead_lettered", Boolean, nullable=False),
    Column("error_code", String(64), nullable=False),
    Column("error_description", String(1024), nullable=False),
    # Ids are never reused.
    sqlite_autoincrement=True,
)
#: One row for each signal that was ever disputed. Ids are never reused.
disputes = Table(
    "disputes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("signal", LargeBinary(16), nullable=False),
    Column("kind", ForeignKey("kinds.id"), nullable=False),
    # Whether the dispute excludes the signal from scores.
    Column("frozen", Boolean, nullable=False),
    # The person's own words, shown with the signal.
    Column("statement", String(2000), nullable=False),
    UniqueConstraint("person", "partner", "signal"),
    sqlite_autoincrement=True,
)
#: The steps of each dispute, in order; append-only.
dispute_steps = Table(
    "dispute_steps",
    metadata,
    Column("id", Key, primary_key=True),
    Column("dispute", ForeignKey("disputes.id"), nullable=False, index=True),
    Column("action", String(16), nullable=False),
    Column("happened_at", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("comment", String(1000), nullable=False),
)
#: Erasures, without the person.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Key, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
    Column("signals", Integer, nullable=False),
    # When the last notice was delivered; null until then.
    Column("notified_at", BigInteger),
)
#: Undelivered notices to partners. Delivery deletes the row.
notices = Table(
    "notices",
    metadata,
    Column("id", Key, primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False, index=True),
    Column("jti", String(64), nullable=False, unique=True),
    Column("event", String(64), nullable=False),
    # The partner's own pseudonym of the person, the only data that outlives an erasure, until delivery.
    Column("subject", String(128), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Exactly one of the two is set.
    Column("dispute", ForeignKey("disputes.id"), index=True),
    Column("erasure", ForeignKey("erasures.id"), index=True),
    sqlite_autoincrement=True,
)
#: Envelopes with a further disclosure of a signal whose row refers to another one: see `ingest.signal_table`.
duplicate_disclosures = Table(
    "duplicate_disclosures",
    metadata,
    Column("person", BigInteger, nullable=False),
    Column("envelope", BigInteger, nullable=False),
    PrimaryKeyConstraint("person", "envelope"),
    sqlite_with_rowid=False,
)
