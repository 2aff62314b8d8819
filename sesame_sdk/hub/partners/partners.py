"""Partners as operators see them: keys, and what was registered with them."""

from attrs import frozen
from sqlalchemy import Connection

from sesame_sdk.hub.partners import keys, registrations


@frozen
class Partner:
    """One partner.

    Attributes:
        issuer: its URL.
        kids: thumbprints of its keys, revoked ones left out.
        plugins: what it registered, name and version.
        kinds: what it may say.
        purposes: why it may read.
    """

    issuer: str
    kids: tuple[str, ...]
    plugins: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]


def list_partners(connection: Connection) -> list[Partner]:
    """Every partner."""
    return [
        Partner(issuer, kids, *map(tuple, registrations.describe_registrations(connection, issuer)))
        for issuer, kids in keys.kids_by_issuer(connection).items()
    ]
