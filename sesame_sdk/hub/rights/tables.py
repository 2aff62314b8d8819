"""The tables of people's rights: disputes, what partners have to be told, what was erased."""

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

#: One for each signal that was ever disputed. A number is never given to another dispute.
disputes = Table(
    "disputes",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("signal", LargeBinary(16), nullable=False),
    Column("kind", ForeignKey("kinds.id"), nullable=False),
    # Whether it keeps the signal from counting: all that scores need to know of it.
    Column("frozen", Boolean, nullable=False),
    # The person's own words, to stand beside the signal.
    Column("statement", String(2000), nullable=False),
    UniqueConstraint("person", "partner", "signal"),
    sqlite_autoincrement=True,
)
#: What happened to each dispute, in its order; rows are only added.
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
#: Erasures, and nothing of who was erased.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Key, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
    Column("signals", Integer, nullable=False),
    # When the last partner was told of it; none while one has to be.
    Column("notified_at", BigInteger),
)
#: What partners have to be told and were not yet. Once one is told, its row goes.
notices = Table(
    "notices",
    metadata,
    Column("id", Key, primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False, index=True),
    Column("jti", String(64), nullable=False, unique=True),
    Column("event", String(64), nullable=False),
    # The partner's own pseudonym for whom it is about: the one thing that outlives an erasure, until told.
    Column("subject", String(128), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # One of the two.
    Column("dispute", ForeignKey("disputes.id"), index=True),
    Column("erasure", ForeignKey("erasures.id"), index=True),
    sqlite_autoincrement=True,
)
#: Envelopes that keep a signal's disclosure though it stands by another one: see `view`.
duplicate_disclosures = Table(
    "duplicate_disclosures",
    metadata,
    Column("person", BigInteger, nullable=False),
    Column("envelope", BigInteger, nullable=False),
    PrimaryKeyConstraint("person", "envelope"),
    sqlite_with_rowid=False,
)
