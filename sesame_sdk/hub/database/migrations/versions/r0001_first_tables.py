"""The first tables: ledger, consents, registrations, policies, reads, the feed, rights, and limits.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: SQLite hands out keys only for a column of exactly its INTEGER type.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "rescore_queue",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "cache_versions",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "duplicate_disclosures",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "envelope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasures",
        sa.Column("id", KEY, nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("notified_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "kinds",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "partners",
        sa.Column("id", KEY, nullable=False),
        sa.Column("issuer", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer"),
    )
    op.create_table(
        "people",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "policies",
        sa.Column("id", KEY, nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_policies_context", "policies", ["context"])
    op.create_table(
        "signals",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "partner", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rate_limits",
        sa.Column("partner", KEY, nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("burst", sa.BigInteger(), nullable=True),
        sa.Column("theoretical_arrival_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("partner"),
    )
    op.create_table(
        "disputes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("signal", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind"],
            ["kinds.id"],
        ),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "partner", "signal"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "envelopes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("disclosures", sa.LargeBinary(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("partner", "jti"),
    )
    op.create_index("envelopes_by_key", "envelopes", ["partner", "kid", "received_at"])
    op.create_table(
        "partner_keys",
        sa.Column("partner", KEY, nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("partner", "kid"),
    )
    op.create_table(
        "pseudonyms",
        sa.Column("id", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("partner", "subject"),
    )
    op.create_index("ix_pseudonyms_person", "pseudonyms", ["person"])
    op.create_table(
        "read_tokens",
        sa.Column("partner", KEY, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("partner", "jti"),
    )
    op.create_index("ix_read_tokens_expires_at", "read_tokens", ["expires_at"])
    op.create_table(
        "score_reads",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_score_reads_person", "score_reads", ["person"])
    op.create_table(
        "streams",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=512), nullable=True),
        sa.Column("bearer_token", sa.String(length=1024), nullable=True),
        sa.Column("events_requested", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("verification_requested_at", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=True),
        sa.Column("scan_cursor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("partner", "purpose", "context"),
    )
    op.create_table(
        "dispute_steps",
        sa.Column("id", KEY, nullable=False),
        sa.Column("dispute", KEY, nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute"],
            ["disputes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dispute_steps_dispute", "dispute_steps", ["dispute"])
    op.create_table(
        "grants",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pseudonym", KEY, nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=True),
        sa.Column("context", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("adult", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["pseudonym"],
            ["pseudonyms.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(
        "grants_by_pseudonym", "grants", ["pseudonym", "direction", "given_at", "expires_at", "withdrawn_at"]
    )
    op.create_table(
        "stream_messages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("subject_count", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("dead_lettered", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("error_description", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream"],
            ["streams.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("jti"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stream_messages_stream", "stream_messages", ["stream"])
    op.create_table(
        "notices",
        sa.Column("id", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("dispute", KEY, nullable=True),
        sa.Column("erasure", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["dispute"],
            ["disputes.id"],
        ),
        sa.ForeignKeyConstraint(
            ["erasure"],
            ["erasures.id"],
        ),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("jti"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_dispute", "notices", ["dispute"])
    op.create_index("ix_notices_erasure", "notices", ["erasure"])
    op.create_index("ix_notices_partner", "notices", ["partner"])
    op.create_table(
        "registrations",
        sa.Column("envelope", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=False),
        sa.Column("plugin", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["envelope"],
            ["envelopes.id"],
        ),
        sa.ForeignKeyConstraint(
            ["partner"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("envelope"),
    )
    op.create_table(
        "stream_subjects",
        sa.Column("stream", KEY, nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("points", sa.Double(), nullable=True),
        sa.Column("band", sa.String(length=32), nullable=True),
        sa.Column("base", sa.Double(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("grant_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("pending_priority", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("dead_message_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream"],
            ["streams.id"],
        ),
        sa.PrimaryKeyConstraint("stream", "person"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "stream_subjects_by_message",
        "stream_subjects",
        ["message_id"],
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index("stream_subjects_by_person", "stream_subjects", ["person"])
    op.create_index(
        "stream_subjects_by_dead_message",
        "stream_subjects",
        ["dead_message_id"],
        sqlite_where=sa.text("dead_message_id IS NOT NULL"),
        postgresql_where=sa.text("dead_message_id IS NOT NULL"),
    )
    op.create_index(
        "stream_subjects_pending",
        "stream_subjects",
        ["stream", "pending_priority", "seq"],
        sqlite_where=sa.text("pending_priority > 0"),
        postgresql_where=sa.text("pending_priority > 0"),
    )
    op.create_index(
        "stream_subjects_by_grant_expiry",
        "stream_subjects",
        ["grant_expires_at"],
        sqlite_where=sa.text("grant_expires_at IS NOT NULL"),
        postgresql_where=sa.text("grant_expires_at IS NOT NULL"),
    )
    op.create_table(
        "grant_crossings",
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["grants.id"],
        ),
        sa.PrimaryKeyConstraint("grant_id", "context"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grant_kinds",
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["grants.id"],
        ),
        sa.ForeignKeyConstraint(
            ["kind"],
            ["kinds.id"],
        ),
        sa.PrimaryKeyConstraint("grant_id", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registered_consumers",
        sa.Column("registration", KEY, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.envelope"],
        ),
        sa.PrimaryKeyConstraint("registration", "name"),
    )
    op.create_table(
        "registered_kinds",
        sa.Column("registration", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("declaration", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind"],
            ["kinds.id"],
        ),
        sa.ForeignKeyConstraint(
            ["registration"],
            ["registrations.envelope"],
        ),
        sa.PrimaryKeyConstraint("registration", "kind"),
    )
