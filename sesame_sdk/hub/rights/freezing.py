"""Which signals a dispute keeps from counting, in SQL (rule DSP-1)."""

from sqlalchemy import ColumnElement, and_, exists, select

from sesame_sdk.hub.database.tables import pseudonyms, signals
from sesame_sdk.hub.rights.tables import disputes


def frozen() -> ColumnElement[bool]:
    """Whether a row of `signals` is disputed, or was found to be wrong."""
    this_one = and_(
        disputes.c.person == signals.c.person,
        disputes.c.partner == signals.c.partner,
        disputes.c.signal == signals.c.id,
    )
    return exists(select(disputes.c.id).where(this_one, disputes.c.frozen))


def any_frozen() -> ColumnElement[bool]:
    """Whether that holds of anything that the partner of a row of `pseudonyms` sent of its person."""
    theirs = and_(disputes.c.person == pseudonyms.c.person, disputes.c.partner == pseudonyms.c.partner)
    return exists(select(disputes.c.id).where(theirs, disputes.c.frozen))
