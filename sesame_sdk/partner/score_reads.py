"""Reads scores over HTTP: signs read tokens, splits requests into batches, validates responses.

Always by POST, for one subject too: pseudonyms do not belong in URLs, which are logged.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from attrs import frozen

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_REQUEST_LIFETIME, MAX_SUBJECTS
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.codec import encode
from sesame_sdk.model.score import Score
from sesame_sdk.signing.jwt import READ_TYP, STREAM_TYP, new_jti, numeric_date, sign_claims

SCORES_PATH = "/v1/scores/read"


@frozen
class _Scores:
    scores: dict[str, Score | None]


_response = codec.decoder(_Scores)


def sign_read_token(
    signer: Signer, *, issuer: str, audience: str, purpose: str, context: str, now: datetime
) -> bytes:
    """Sign a token that authorizes one read of scores at `audience`, valid for `MAX_REQUEST_LIFETIME`."""
    claims = _claims(issuer, audience, purpose, context, now)
    return sign_claims(claims, signer, typ=READ_TYP)


def sign_stream_token(
    signer: Signer, *, issuer: str, audience: str, purpose: str, context: str, now: datetime
) -> bytes:
    """Sign a token for the stream of this purpose and context, reusable for `MAX_REQUEST_LIFETIME`."""
    return sign_claims(_claims(issuer, audience, purpose, context, now), signer, typ=STREAM_TYP)


def _claims(issuer: str, audience: str, purpose: str, context: str, now: datetime) -> dict[str, Any]:
    issued = numeric_date(now)
    return {
        "iss": issuer,
        "aud": audience,
        "iat": issued,
        "exp": issued + int(MAX_REQUEST_LIFETIME.total_seconds()),
        "jti": new_jti(),
        "purpose": purpose,
        "context": context,
    }


def read_scores(
    transport: Transport, subjects: Sequence[str], bearer: Callable[[], bytes]
) -> dict[str, Score | None]:
    """Read a score or None for each subject, in the given order; requested in batches of `MAX_SUBJECTS`.

    Raises:
        InvalidInputError: the hub rejected the request, or its response has other subjects.
        RetryableError, ConfigurationError: see `Transport.post`.
    """
    unique = list(dict.fromkeys(subjects))
    scores: dict[str, Score | None] = {}
    for start in range(0, len(unique), MAX_SUBJECTS):
        batch = unique[start : start + MAX_SUBJECTS]
        response = transport.post(
            SCORES_PATH,
            encode({"subjects": batch}),
            content_type=JSON_MEDIA_TYPE,
            accept=JSON_MEDIA_TYPE,
            bearer=bearer,
        )
        scores |= _decode(response.body, batch)
    return scores


def _decode(body: bytes, requested: list[str]) -> dict[str, Score | None]:
    try:
        scores = _response.decode(body).scores
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidInputError) as error:
        raise InvalidInputError(
            f"the hub's response is not valid: {error}", field="scores", code="invalid_response"
        ) from error
    if scores.keys() != set(requested):
        raise InvalidInputError(
            "the hub's response has other subjects than requested", field="scores", code="invalid_response"
        )
    return {subject: scores[subject] for subject in requested}
