"""Reads in bad faith: tokens that are not believed, names that are somebody else's, questions too large."""

from collections.abc import Callable

import pytest
import requests

from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.guard.purposes import PERSONALISED_BENEFITS
from sesame_sdk.hub.database import timestamps
from sesame_sdk.signing.keys import SigningKey, public_point
from tests.rogue import forging
from tests.rogue.deployment import Deployment
from tests.rogue.forging import header, jws

_JSON = {"Content-Type": "application/json"}


def _claims(deployment: Deployment, **other: object) -> dict[str, object]:
    now = forging.seconds()
    members = {
        "iss": deployment.shop.issuer,
        "aud": deployment.url,
        "iat": now,
        "exp": now + 60,
        "jti": f"read-{timestamps.utc_now().timestamp()}",
        "purpose": PERSONALISED_BENEFITS,
        "context": "retail",
    } | other
    return {name: value for name, value in members.items() if value is not None}


def _token(
    deployment: Deployment, key: SigningKey | None = None, alg: str = "Ed25519", **other: object
) -> bytes:
    key = key or deployment.shop.key
    return jws(header(key, typ="sesame-read+jwt", alg=alg), _claims(deployment, **other), key.sign)


def _used(deployment: Deployment) -> bytes:
    token = _token(deployment)
    assert _ask(deployment, token, deployment.shop.pseudonym("ada")).status_code == 200
    return token


def _ask(deployment: Deployment, token: bytes, *subjects: str) -> requests.Response:
    bearer = {"Authorization": b"Bearer " + token}
    return requests.post(
        f"{deployment.url}/v1/scores/read", json={"subjects": subjects}, headers=bearer, timeout=30
    )


Make = Callable[[Deployment], bytes]
TOKENS: dict[str, tuple[int, str, Make]] = {
    "a token that was used": (401, "authentication_failed", _used),
    "a forged signature": (
        401,
        "authentication_failed",
        lambda s: jws(header(s.shop.key, typ="sesame-read+jwt"), _claims(s), SigningKey.generate().sign),
    ),
    "alg none": (
        401,
        "authentication_failed",
        lambda s: jws(header(s.shop.key, typ="sesame-read+jwt", alg="none"), _claims(s), lambda _: b""),
    ),
    "an HMAC under the public key": (
        401,
        "authentication_failed",
        lambda s: forging.by_hmac(public_point(s.shop.key.public_jwk), _claims(s), s.shop.key),
    ),
    "an unknown key": (401, "invalid_key", lambda s: _token(s, SigningKey.generate())),
    "a revoked key": (401, "invalid_key", lambda s: _token(s, s.revoked)),
    "another partner's key": (401, "invalid_key", lambda s: _token(s, s.twin.key)),
    "an unknown issuer": (401, "invalid_issuer", lambda s: _token(s, iss="https://unknown.example")),
    "another audience": (401, "invalid_audience", lambda s: _token(s, aud="https://other.example")),
    "expired": (401, "authentication_failed", lambda s: _token(s, iat=1, exp=60)),
    "good for months": (
        401,
        "authentication_failed",
        lambda s: _token(s, exp=forging.seconds() + 10**7),
    ),
    "without an end": (401, "authentication_failed", lambda s: _token(s, exp=None)),
    "without a purpose": (401, "authentication_failed", lambda s: _token(s, purpose=None)),
    "a purpose with a NUL in it": (401, "authentication_failed", lambda s: _token(s, purpose="urn:a\0")),
    "an event for a token": (401, "authentication_failed", lambda s: s.shop.seal(s.order()).split(b"~")[0]),
    "a whole envelope for a token": (401, "authentication_failed", lambda s: s.shop.seal(s.order())),
    "a purpose that was not registered": (
        403,
        "access_denied",
        lambda s: _token(s, purpose="https://w3id.org/dpv#CustomerCare"),
    ),
    "a context without a policy": (403, "access_denied", lambda s: _token(s, context="community")),
    "a forbidden purpose": (
        403,
        "access_denied",
        lambda s: _token(s, purpose="https://w3id.org/dpv#CreditChecking"),
    ),
}


@pytest.mark.parametrize("way", TOKENS)
def test_a_token_that_is_wrong_reads_nothing_and_leaves_nothing(deployment: Deployment, way: str) -> None:
    """No score, no read in anybody's log, and no token used up."""
    status, code, make = TOKENS[way]
    token = make(deployment)
    with deployment.unchanged():
        answer = _ask(deployment, token, deployment.shop.pseudonym("ada"))
    assert answer.status_code == status, answer.text
    assert answer.json()["err"] == code
    assert "points" not in answer.text


def test_another_partners_name_for_a_person_reads_nothing(deployment: Deployment) -> None:
    """Null, as for an unknown person, and the person's access log has no read."""
    before = len(deployment.hub.list_score_reads("ada")), len(deployment.hub.list_score_reads("bob"))
    names = [deployment.twin.pseudonym("ada"), deployment.twin.pseudonym("bob"), "ada", "unknown"]
    answer = _ask(deployment, _token(deployment), *names)
    assert answer.json() == {"scores": dict.fromkeys(names)}
    assert (
        len(deployment.hub.list_score_reads("ada")),
        len(deployment.hub.list_score_reads("bob")),
    ) == before


_BODIES: dict[str, bytes] = {
    "one subject too many": forging.text({"subjects": [f"s{n}" for n in range(MAX_SUBJECTS + 1)]}),
    "no subject": b'{"subjects":[]}',
    "subjects that are no list": b'{"subjects":"ada"}',
    "a number for a subject": b'{"subjects":[1]}',
    "a subject that is too long": forging.text({"subjects": ["s" * 129]}),
    "an empty subject": b'{"subjects":[""]}',
    "a subject with a NUL in it": b'{"subjects":["a\\u0000b"]}',
    "a subject with a blank in it": b'{"subjects":["a b"]}',
    "half a character": b'{"subjects":["\\ud800"]}',
    "no JSON": b"subjects=ada",
    "nothing": b"",
    "nested deeply": b"[" * 100_000 + b"]" * 100_000,
    "nested deeply within": b'{"subjects":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "invalid UTF-8": b'{"subjects":["\xff\xfe"]}',
}


@pytest.mark.parametrize("way", _BODIES)
def test_a_question_that_is_wrong_is_refused(deployment: Deployment, way: str) -> None:
    """400, and the token that came with it can still be used."""
    token = _token(deployment)
    with deployment.unchanged():
        answer = requests.post(
            f"{deployment.url}/v1/scores/read",
            data=_BODIES[way],
            headers=_JSON | {"Authorization": f"Bearer {token.decode()}"},
            timeout=30,
        )
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")
    assert _ask(deployment, token, deployment.shop.pseudonym("ada")).status_code == 200


@pytest.mark.parametrize("subject", ["%00", "a%20b", "%F0%9F%98%80", "s" * 129, "..%2f..%2fetc", "%FF"])
def test_a_name_in_a_path_that_cannot_be_one_is_refused(deployment: Deployment, subject: str) -> None:
    """400, or there is no such route; never the score of anybody."""
    token = _token(deployment)
    with deployment.unchanged("read_tokens", "rate_limits"):
        answer = requests.get(
            f"{deployment.url}/v1/scores/{subject}",
            headers={"Authorization": f"Bearer {token.decode()}"},
            timeout=30,
        )
    assert answer.status_code in {200, 400, 404}
    assert "points" not in answer.text
