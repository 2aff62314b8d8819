"""The tables of disputes, notices and erasures."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from sesame_sdk.hub.database.tables import Key, metadata

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
