"""The tables. Times are microseconds since 1970; names that recur a million times are small integers.

`envelopes` and `registrations` are only ever added to. `signals` is a view of `envelopes` kept as a
table: it can be thrown away and made again (`ledger.rebuild`), so it carries no foreign keys, whose
checks would cost more than the rest of an insert.
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
)

metadata = MetaData()
#: SQLite hands out keys only for a column of exactly its INTEGER type.
Key = BigInteger().with_variant(Integer(), "sqlite")

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
    # A number is never given to another person: what is still on its way about an erased one goes by it.
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
    # Of all that was agreed: the same consent told twice is one consent.
    Column("digest", String(64), nullable=False, unique=True),
    # With all that decides whether a grant stands, so that the door of signals need not read the rows.
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
    # SHA-256 of what was sent, by which the same envelope is known again.
    Column("digest", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("disclosures", LargeBinary, nullable=False),
    Column("duplicates", Integer, nullable=False),
    # What was answered, without the ids of what was not kept: see `outcomes`.
    Column("outcome", LargeBinary, nullable=False),
    UniqueConstraint("partner", "jti"),
    # What a revoked key signed is found without reading tokens.
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
#: Tokens that readers used, until they would have expired anyway.
read_tokens = Table(
    "read_tokens",
    metadata,
    Column("partner", ForeignKey("partners.id"), primary_key=True),
    Column("jti", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
#: One row a thing that processes cache; its mark is a new one after every change.
cache_versions = Table(
    "cache_versions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
