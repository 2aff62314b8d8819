"""Registrations that are wrong: refused with a code, and nothing registered."""

from collections.abc import Callable

import pytest
from attrs import evolve

from sesame_sdk import Manifest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.manifest import MAX_DECLARATIONS
from tests.hub.fixtures import LATE, ORDER, kind, manifest
from tests.rogue import forging
from tests.rogue.deployment import Deployment

Make = Callable[[Deployment], bytes]


def _registration(deployment: Deployment, payload: object) -> bytes:
    return deployment.shop.token(EventType.REGISTRATION, payload)


def _older(deployment: Deployment) -> bytes:
    hour_ago = forging.seconds() - 3600
    events = {EventType.REGISTRATION.value: {"name": "sesame-test", "version": "1.0", "api": "1.0"}}
    events[EventType.REGISTRATION.value]["digest"] = manifest().digest
    return forging.signed(
        deployment.shop, forging.claims(deployment.shop, events, iat=hour_ago, _sd_alg=None)
    )


def _many(count: int) -> Manifest:
    kinds = [kind(f"retail.thing.n{number}") for number in range(count)]
    return manifest(*kinds[:MAX_DECLARATIONS], name="sesame-many")


WAYS: dict[str, tuple[str, Make]] = {
    "a kind of no observation of the catalogue": (
        "access_denied",
        lambda s: _registration(s, manifest(kind("retail.order.undeclared", "anything_else"), name="bad")),
    ),
    "a kind about a special category": (
        "access_denied",
        lambda s: _registration(s, manifest(kind("retail.order.pills", "health"), name="bad")),
    ),
    "a kind with another meaning than it has": (
        "access_denied",
        lambda s: _registration(s, manifest(kind(ORDER, currency="EUR"), name="bad")),
    ),
    "a digest of something else": (
        "invalid_request",
        lambda s: _registration(s, evolve(manifest(kind(ORDER), name="bad"), digest="x" * 43)),
    ),
    "an API that is not spoken here": (
        "invalid_request",
        lambda s: _registration(s, manifest(kind(ORDER), name="bad", api="9.0")),
    ),
    "a kind twice": (
        "invalid_request",
        lambda s: _registration(s, manifest(kind(ORDER), kind(ORDER), name="bad")),
    ),
    "an older one than is in force": ("invalid_request", _older),
    "a plugin without a name": (
        "invalid_request",
        lambda s: _registration(s, {"name": "", "version": "1"}),
    ),
    "a version with a NUL in it": (
        "invalid_request",
        lambda s: _registration(s, {"name": "bad", "version": "1\0", "api": "1.0"}),
    ),
    "a name of half a megabyte": (
        "invalid_request",
        lambda s: _registration(s, {"name": "n" * (1 << 19), "version": "1", "api": "1.0"}),
    ),
    "a list": ("invalid_request", lambda s: _registration(s, [])),
    "a key that was revoked": (
        "invalid_key",
        lambda s: s.shop.with_key(s.revoked).token(EventType.REGISTRATION, manifest(kind(LATE))),
    ),
    "the twin's key under the shop's name": (
        "invalid_key",
        lambda s: s.shop.with_key(s.twin.key).token(EventType.REGISTRATION, manifest(kind(LATE))),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_registration_that_is_wrong_is_refused_and_changes_nothing(
    deployment: Deployment, way: str
) -> None:
    """400 and the code; partners, kinds and what they may read for stay as they were."""
    code, make = WAYS[way]
    body = make(deployment)
    before = deployment.hub.list_partners()
    with deployment.unchanged():
        answer = deployment.post(body)
    assert (answer.status_code, answer.json()["err"]) == (400, code), answer.text
    assert deployment.hub.list_partners() == before
