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
rescore_queue = Table(
    "rescore_queue",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person_ids", LargeBinary, nullable=False),
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
    Column("bearer_token", String(1024)),
    Column("events_requested", JSON, nullable=False),
    Column("description", String(400), nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("verification_requested_at", BigInteger, nullable=False),
    Column("last_message_at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # The day for which everybody was looked at, and how far the present round has come.
    Column("as_of", String(10)),
    Column("scan_cursor", BigInteger, nullable=False),
    UniqueConstraint("partner", "purpose", "context"),
)
#: What each stream was last told of each person, or is to be told: one row, the latest state.
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
    # When the consent ends by itself.
    Column("grant_expires_at", BigInteger),
    # 0: nothing is owed; 1: a score; 2: that somebody left, which goes first.
    Column("pending_priority", Integer, nullable=False),
    # The message that carries it now; the one that was refused for good.
    Column("message_id", BigInteger),
    Column("dead_message_id", BigInteger),
    PrimaryKeyConstraint("stream", "person"),
    Index("stream_subjects_by_person", "person"),
    Index(
        "stream_subjects_pending",
        "stream",
        "pending_priority",
        "seq",
        sqlite_where=text("pending_priority > 0"),
        postgresql_where=text("pending_priority > 0"),
    ),
    Index(
        "stream_subjects_by_grant_expiry",
        "grant_expires_at",
        sqlite_where=text("grant_expires_at IS NOT NULL"),
        postgresql_where=text("grant_expires_at IS NOT NULL"),
    ),
    Index(
        "stream_subjects_by_message",
        "message_id",
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "stream_subjects_by_dead_message",
        "dead_message_id",
        sqlite_where=text("dead_message_id IS NOT NULL"),
        postgresql_where=text("dead_message_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)
#: Messages on their way, and those refused for good, of which the token is not kept.
stream_messages = Table(
    "stream_messages",
    metadata,
    Column("id", Key, primary_key=True),
    Column("stream", ForeignKey("streams.id"), nullable=False, index=True),
    Column("jti", String(64), nullable=False, unique=True),
    Column("event", String(128), nullable=False),
    Column("subject_count", Integer, nullable=False),
    # The highest number of a state in it.
    Column("seq", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("dead_lettered", Boolean, nullable=False),
    Column("error_code", String(64), nullable=False),
    Column("error_description", String(1024), nullable=False),
    # A number is never given to another message.
    sqlite_autoincrement=True,
)
