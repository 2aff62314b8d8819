"""Any change to the bytes of a good envelope is refused, or gets the very receipt that the envelope got."""

import json
from typing import Any

import pytest
import requests
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sesame_sdk.signing import base64url
from tests.rogue.deployment import CODES, SET, Deployment

_EXAMPLES = 600


@frozen
class Change:
    """What is done at a place, which is a share of the whole length."""

    what: str
    at: float
    to: float
    some: bytes

    def on(self, body: bytes) -> bytes:
        """The body, changed."""
        start, end = sorted((int(self.at * len(body)), int(self.to * len(body))))
        if self.what == "flip":
            bits = (self.some or b"\x01")[0] or 1
            return body[:start] + bytes([body[start] ^ bits]) + body[start + 1 :] if body[start:] else body
        if self.what == "cut":
            return body[:start] + body[end:]
        if self.what == "insert":
            return body[:start] + self.some + body[start:]
        if self.what == "double":
            return body[:end] + body[start:]
        return self._by_segments(body)

    def _by_segments(self, body: bytes) -> bytes:
        """Two segments change places, or one is left out or comes twice."""
        mark = b"." if self.what.endswith("of the token") else b"~"
        parts = body.split(mark)
        one, two = int(self.at * len(parts)), int(self.to * len(parts))
        if self.what.startswith("swap"):
            parts[one], parts[two] = parts[two], parts[one]
        elif self.what.startswith("drop"):
            del parts[one]
        else:
            parts.insert(two, parts[one])
        return mark.join(parts)


_SHARES = st.floats(0, 1, exclude_max=True)
_WHATS = ["flip", "cut", "insert", "double"] + [
    f"{deed} segments{of}" for deed in ("swap", "drop", "repeat") for of in ("", " of the token")
]
CHANGES = st.lists(
    st.builds(Change, st.sampled_from(_WHATS), _SHARES, _SHARES, st.binary(max_size=8)),
    min_size=1,
    max_size=3,
)


def test_a_changed_envelope_is_refused_or_gets_the_same_receipt(deployment: Deployment) -> None:
    """Flipped, cut, filled up, doubled, segments exchanged, left out or repeated: never 500, nothing kept."""
    body = deployment.shop.seal(*(deployment.order(f"mutated {number}") for number in range(5)))
    receipt = deployment.post(body).content
    session = requests.Session()

    @settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
    @given(CHANGES)
    def whatever_is_changed(changes: list[Change]) -> None:
        changed = body
        for change in changes:
            changed = change.on(changed)
        answer = session.post(
            f"{deployment.url}/v1/events",
            data=changed,
            headers={"Content-Type": SET, "Accept": SET},
            timeout=30,
        )
        if answer.status_code == 202:
            assert answer.content == receipt
        else:
            assert (answer.status_code, answer.json()["err"] in CODES) == (400, True), answer.text

    with session, deployment.unchanged("rate_limits"):
        whatever_is_changed()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="the same claims in another spelling"),
        pytest.param({"jti": "another-message"}, id="another message"),
        pytest.param({"jti": "a-later-message", "iat": 1780315200}, id="another time"),
        pytest.param({"jti": "of-a-twin", "iss": "https://twin.example"}, id="another partner"),
    ],
)
def test_claims_that_were_changed_after_they_were_signed_are_refused(
    deployment: Deployment, changed: dict[str, Any]
) -> None:
    """Under the signature of the claims as they were, with the signals as they were."""
    token, mark, disclosures = deployment.shop.seal(deployment.order("changed claims")).partition(b"~")
    header, claims, signature = token.split(b".")
    content = json.loads(base64url.decode(claims, field="token")) | changed
    forged = b".".join([header, base64url.encode(json.dumps(content, indent=1).encode()), signature])
    with deployment.unchanged():
        answer = deployment.post(forged + mark + disclosures)
        assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed")
