"""The tables of the feed: who wants to be told, what each was told, and what is on its way."""

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
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from sesame_sdk.hub.database.tables import Key, metadata

#: People whose scores may have changed and were not looked at since: whole envelopes of them a row, as
#: 64-bit numbers. A row a person would cost the door of signals more than the rest of it.
changed = Table(
    "changed",
    metadata,
    Column("id", Key, primary_key=True),
    Column("people", LargeBinary, nullable=False),
)
#: One for each reader that wants to be told: see `streams`.
streams = Table(
    "streams",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("purpose", String(256), nullable=False),
    Column("context", String(32), nullable=False),
    # Where to push to, and the bearer token to show there; none where the consumer polls.
    Column("endpoint", String(512)),
    Column("bearer", String(1024)),
    Column("requested", JSON, nullable=False),
    Column("description", String(400), nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("spoke_at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # The day for which everybody was looked at, and how far the present round has come.
    Column("as_of", String(10)),
    Column("walked", BigInteger, nullable=False),
    UniqueConstraint("partner", "purpose", "context"),
)
#: What each stream was last told of each person, or is to be told: one row, the latest state.
told = Table(
    "told",
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
    # When the consent ends by itself.
    Column("until", BigInteger),
    # 0: nothing is owed; 1: a score; 2: that somebody left, which goes first.
    Column("due", Integer, nullable=False),
    # The message that carries it now; the one that was refused for good.
    Column("letter", BigInteger),
    Column("dead", BigInteger),
    PrimaryKeyConstraint("stream", "person"),
    Index("told_by_person", "person"),
    Index("told_due", "stream", "due", "seq", sqlite_where=text("due > 0"), postgresql_where=text("due > 0")),
    Index(
        "told_until",
        "until",
        sqlite_where=text("until IS NOT NULL"),
        postgresql_where=text("until IS NOT NULL"),
    ),
    Index(
        "told_by_letter",
        "letter",
        sqlite_where=text("letter IS NOT NULL"),
        postgresql_where=text("letter IS NOT NULL"),
    ),
    Index(
        "told_dead", "dead", sqlite_where=text("dead IS NOT NULL"), postgresql_where=text("dead IS NOT NULL")
    ),
    sqlite_with_rowid=False,
)
#: Messages on their way, and those refused for good, of which the token is not kept.
letters = Table(
    "letters",
    metadata,
    Column("id", Key, primary_key=True),
    Column("stream", ForeignKey("streams.id"), nullable=False, index=True),
    Column("jti", String(64), nullable=False, unique=True),
    Column("event", String(128), nullable=False),
    Column("people", Integer, nullable=False),
    # The highest number of a state in it.
    Column("seq", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("code", String(64), nullable=False),
    Column("reason", String(1024), nullable=False),
    # A number is never given to another message.
    sqlite_autoincrement=True,
)
