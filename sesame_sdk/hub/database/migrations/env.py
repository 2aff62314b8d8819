"""Alembic runs this file to migrate, on the connection that it is given, in its open transaction."""

from alembic import context

from sesame_sdk.hub.database import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.stream_subjects.metadata,
    render_as_batch=True,
)
context.run_migrations()
