"""Who may fetch notices: a partner, with a token that it signed for this and nothing else.

Like a read token (see `readers`) it lives five minutes at most and is good for one request. It is of a
type of its own (RFC 8725 section 3.11), so that neither opens the other's door.
"""

from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection

from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.scoring import read_auth
from sesame_sdk.hub.scoring.read_auth import AuthenticatedRequest
from sesame_sdk.model import codec
from sesame_sdk.signing.jwt import NOTICES_TYP, KeyFinder, Token


@frozen
class _Ends:
    exp: float


def authenticate_notice_request(
    token: bytes, keys: KeyFinder, *, audience: str, now: datetime
) -> AuthenticatedRequest:
    """Believe a token for notices. The request is for no purpose and in no context.

    Raises:
        Rejected: see `Token.verify`; or it lives too long.
    """
    with read_auth.authentication_errors():
        verified = Token.parse(token).verify(keys, typ=NOTICES_TYP, audience=audience, now=now)
        exp = codec.decode(verified.claims, _Ends, field="token").exp
        expires_at = read_auth.check_lifetime(exp, verified.issued_at)
    return AuthenticatedRequest(verified.issuer, verified.jti, "", "", expires_at, now)


def admit_notice_request(connection: Connection, request: AuthenticatedRequest) -> int:
    """The partner, as the tables know it, once its token is used up.

    Raises:
        Rejected: it was used before.
    """
    partner = keys.partner_id(connection, request.issuer)
    read_auth.consume_token(connection, request, partner)
    return partner
