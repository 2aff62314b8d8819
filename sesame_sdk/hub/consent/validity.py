"""Whether a consent stands, in SQL."""

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, or_

from sesame_sdk.hub.database.tables import grants
from sesame_sdk.hub.database.timestamps import to_micros


def is_valid(at: datetime | str) -> ColumnElement[bool]:
    """Whether a row of `grants` stands at this moment: `Grant.valid`, in SQL.

    Args:
        at: or the name of the parameter that will say it, in microseconds.
    """
    now = bindparam(at, type_=BigInteger) if isinstance(at, str) else to_micros(at)
    return and_(
        grants.c.given_at <= now,
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
        or_(grants.c.withdrawn_at.is_(None), grants.c.withdrawn_at > now),
    )
