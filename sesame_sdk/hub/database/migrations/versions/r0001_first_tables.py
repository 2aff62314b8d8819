"""The first tables: ledger, grants, registrations, policies, score reads, streams, rights and rate limits.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: SQLite assigns ids only to a column of exactly its INTEGER type.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "rescore_queue",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("person_ids", sa.LargeBinary(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cache_versions",
        sa.Column("name", sa.String(length=32), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "further_disclosures",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=10), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.BigInteger(), nullable=False),
        sa.Column("id_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "partner", "key", "envelope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasures",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("notified_at", sa.BigInteger()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "kinds",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.String(length=128), nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "partners",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("issuer", sa.String(length=256), nullable=False, unique=True),
        sa.Column("jwks_url", sa.String(length=512)),
        sa.Column("jwks_due_at", sa.BigInteger()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("person", sa.String(length=128), nullable=False, unique=True),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "policies",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("context", sa.String(length=32), nullable=False, index=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.String(length=100)),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "proposals",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.String(length=48), nullable=False, unique=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=100), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "proposal_approvals",
        sa.Column("proposal", KEY, sa.ForeignKey("proposals.id"), primary_key=True),
        sa.Column("name", sa.String(length=100), primary_key=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "signals",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=10), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.BigInteger(), nullable=False),
        sa.Column("id_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "partner", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rate_limits",
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), primary_key=True),
        sa.Column("rate", sa.BigInteger()),
        sa.Column("burst", sa.BigInteger()),
        sa.Column("theoretical_arrival_ns", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "disputes",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("person", KEY, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("key", sa.LargeBinary(length=10), nullable=False),
        sa.Column("id_time", sa.BigInteger(), nullable=False),
        sa.Column("kind", KEY, sa.ForeignKey("kinds.id"), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.String(length=2000), nullable=False),
        sa.UniqueConstraint("person", "partner", "key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_heads",
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
    )
    op.create_table(
        "envelopes",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("disclosures", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("partner", "jti"),
        sa.UniqueConstraint("partner", "number"),
        sqlite_autoincrement=True,
    )
    op.create_index("envelopes_by_key", "envelopes", ["partner", "kid", "received_at"])
    op.create_table(
        "quarantined_envelopes",
        sa.Column("envelope", KEY, sa.ForeignKey("envelopes.id"), primary_key=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("quarantined_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "partner_keys",
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("announced_by", sa.String(length=64)),
        sa.PrimaryKeyConstraint("partner", "kid"),
    )
    op.create_table(
        "pseudonyms",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("person", KEY, sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("corrected_at", sa.BigInteger()),
        sa.UniqueConstraint("partner", "subject"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "read_tokens",
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, index=True),
        sa.PrimaryKeyConstraint("partner", "jti"),
    )
    op.create_table(
        "score_reads",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("person", KEY, sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "streams",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.String(length=64), nullable=False, unique=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=512)),
        sa.Column("authorization_header", sa.String(length=1024)),
        sa.Column("events_requested", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("verification_requested_at", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.String(length=10)),
        sa.Column("scan_as_of", sa.String(length=10)),
        sa.Column("scan_cursor", sa.BigInteger(), nullable=False),
        sa.Column("scan_end", sa.BigInteger(), nullable=False),
        sa.Column("scan_turn", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("partner", "purpose", "context"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dispute_steps",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("dispute", KEY, sa.ForeignKey("disputes.id"), nullable=False, index=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.String(length=1000), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "grants",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("pseudonym", KEY, sa.ForeignKey("pseudonyms.id"), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=256)),
        sa.Column("context", sa.String(length=32)),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("adult", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "grants_by_pseudonym", "grants", ["pseudonym", "direction", "given_at", "expires_at", "withdrawn_at"]
    )
    op.create_table(
        "stream_messages",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("stream", KEY, sa.ForeignKey("streams.id"), nullable=False, index=True),
        sa.Column("jti", sa.String(length=64), nullable=False, unique=True),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("subject_count", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("dead_lettered", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notices",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False, index=True),
        sa.Column("jti", sa.String(length=64), nullable=False, unique=True),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("dispute", KEY, sa.ForeignKey("disputes.id"), index=True),
        sa.Column("erasure", KEY, sa.ForeignKey("erasures.id"), index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "registrations",
        sa.Column("envelope", KEY, sa.ForeignKey("envelopes.id"), primary_key=True),
        sa.Column("partner", KEY, sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("plugin", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "stream_subjects",
        sa.Column("stream", KEY, sa.ForeignKey("streams.id"), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("points", sa.Double()),
        sa.Column("band", sa.String(length=32)),
        sa.Column("base", sa.Double(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("grant_expires_at", sa.BigInteger()),
        sa.Column("pending_priority", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("dead_message_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("stream", "person"),
        sqlite_with_rowid=False,
    )
    _create_partial_index("by_message", ["message_id"], "message_id IS NOT NULL")
    op.create_index("stream_subjects_by_person", "stream_subjects", ["person"])
    _create_partial_index("by_dead_message", ["dead_message_id"], "dead_message_id IS NOT NULL")
    _create_partial_index("pending", ["stream", "pending_priority", "seq"], "pending_priority > 0")
    _create_partial_index("by_grant_expiry", ["grant_expires_at"], "grant_expires_at IS NOT NULL")
    op.create_table(
        "grant_crossings",
        sa.Column("grant_id", KEY, sa.ForeignKey("grants.id"), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "context"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grant_kinds",
        sa.Column("grant_id", KEY, sa.ForeignKey("grants.id"), nullable=False),
        sa.Column("kind", KEY, sa.ForeignKey("kinds.id"), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registered_consumers",
        sa.Column("registration", KEY, sa.ForeignKey("registrations.envelope"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("registration", "name"),
    )
    op.create_table(
        "registered_kinds",
        sa.Column("registration", KEY, sa.ForeignKey("registrations.envelope"), nullable=False),
        sa.Column("kind", KEY, sa.ForeignKey("kinds.id"), nullable=False),
        sa.Column("context", sa.String(length=32), nullable=False),
        sa.Column("declaration", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("registration", "kind"),
    )


def _create_partial_index(suffix: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    name = f"stream_subjects_{suffix}"
    op.create_index(name, "stream_subjects", columns, sqlite_where=where, postgresql_where=where)
