"""Whether a consent stands, in SQL."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from sesame_sdk.hub.moments import micros
from sesame_sdk.hub.schema import grants


def valid(at: datetime) -> ColumnElement[bool]:
    """Whether a row of `grants` stands at this moment: `Grant.valid`, in SQL."""
    now = micros(at)
    return and_(
        grants.c.given_at <= now,
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
        or_(grants.c.withdrawn_at.is_(None), grants.c.withdrawn_at > now),
    )
