"""The token with which a partner asks for scores: short-lived, for one hub, one purpose, one context."""

from datetime import datetime, timedelta

from sesame_sdk.interfaces import Signer
from sesame_sdk.signing.jwt import READ_TYP, numeric_date, sign_claims
from sesame_sdk.signing.security_events import new_jti

#: Long enough for a slow network, short enough that a leaked token is soon worth nothing.
LIFETIME = timedelta(minutes=5)


def sign_read_token(
    signer: Signer, *, issuer: str, audience: str, purpose: str, context: str, now: datetime
) -> bytes:
    """A JWT that asks `audience` for scores.

    Args:
        signer: the reader's own key.
        issuer: the reader.
        audience: the hub.
        purpose: IRI of why.
        context: whose policy makes the scores.
        now: UTC; the token is good for `LIFETIME` from here.
    """
    issued = numeric_date(now)
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": new_jti(),
        "purpose": purpose,
        "context": context,
    }
    return sign_claims(claims, signer, typ=READ_TYP)
