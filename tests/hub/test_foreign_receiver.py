"""A receiver of other software, which knows the specifications alone, against a running hub."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from jwcrypto.jwk import JWK

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LONG_AGO, ORDER, Partner, manifest, new_hub, policy, weighting
from tests.hub.process import free_port, serving
from tests.shared_signals.receiver import POLL, PUSH, Receiver, listening

pytestmark = pytest.mark.long

SSF, CAEP = "https://schemas.openid.net/secevent/ssf/event-type/", "https://schemas.openid.net/secevent/caep/"
CHANGED, WITHDRAWN = "urn:sesame-sdk:event:scores-changed", "urn:sesame-sdk:event:grant-withdrawn"
YESTERDAY = timestamps.utc_now() - timedelta(days=1)


@frozen
class Deployment:
    """A running hub, a receiver that its operator knows, and the port of its pushes."""

    hub: Hub
    partner: Partner
    receiver: Receiver
    port: int


@pytest.fixture
def deployment(tmp_path: Path, database: str) -> Iterator[Deployment]:
    """A hub with two people who granted access."""
    port, inbox = free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{inbox}"
    path = new_hub(tmp_path / "hub", issuer=url, database=database)
    key = SigningKey.generate()
    key.save(tmp_path / "key.jwk")
    with Hub.open(path) as hub:
        partner = Partner(issuer, hub, timestamps.utc_now, key=key)
        hub.add_partner(issuer, [key.public_jwk], not_before=LONG_AGO)
        partner.register(manifest(ORDERS, reads=["retail"]))
        hub.set_policy(policy(weighting(ORDERS)))
        for person in ("ada", "bob"):
            hub.add_grants(partner.grants(person, ORDER, reads="retail", given_at=YESTERDAY))
            partner.send(partner.signal(person, f"{person} 1", at=YESTERDAY))
        with serving(path, port):
            own_key = JWK.from_json((tmp_path / "key.jwk").read_text())
            yield Deployment(hub, partner, Receiver(url, issuer, own_key), inbox)


def events_of(receiver: Receiver, url: str, until: str) -> list[tuple[str, dict[str, Any]]]:
    """Polls and acknowledges until an event of this type arrives; the type, and the claims, of each."""
    seen: list[tuple[str, dict[str, Any]]] = []
    ack: list[str] = []
    while until not in dict(seen):
        polled = receiver.poll(url, ack=ack, maxEvents=1, returnImmediately=False)
        ack = list(polled)
        seen += [(next(iter(claims["events"])), claims) for claims in polled.values()]
    assert receiver.poll(url, ack=ack, maxEvents=0) == {}
    return seen


def test_a_foreign_receiver_polls(deployment: Deployment) -> None:
    """Creates, reads, changes, replaces, pauses, verifies and deletes a stream, with one access token."""
    receiver = deployment.receiver
    wish = {"delivery": {"method": POLL}, "events_requested": [f"{CAEP}event-type/session-revoked", CHANGED]}
    made = receiver.stream("POST", wish, expect=201)
    name, poll = made["stream_id"], made["delivery"]["endpoint_url"]
    assert made["iss"] == receiver.transmitter
    assert made["aud"] in (receiver.client, [receiver.client])
    assert (made["events_requested"], made["events_delivered"]) == (wish["events_requested"], [CHANGED])
    assert set(made["events_delivered"]) <= set(made["events_supported"])
    receiver.stream("POST", wish, expect=409)
    assert receiver.stream("GET") == [made]
    assert receiver.stream("GET", name=name) == made
    receiver.stream("GET", name="unknown", expect=404)

    (changes,) = [claims for event, claims in events_of(receiver, poll, CHANGED) if event == CHANGED]
    assert changes["sub_id"]["id"] == name
    points = {one["sub_id"]["id"]: one["points"] for one in changes["events"][CHANGED]["changes"]}
    ada, bob = (deployment.partner.pseudonym(person) for person in ("ada", "bob"))
    assert points.keys() == {ada, bob}
    deployment.hub.withdraw_grants("bob", deployment.partner.issuer)
    withdrawal = dict(events_of(receiver, poll, WITHDRAWN))[WITHDRAWN]  # though it was not requested
    assert withdrawal["sub_id"]["id"] == bob

    verification = receiver.metadata["verification_endpoint"]
    receiver.ask("POST", verification, {"stream_id": name, "state": "VGhpcyA"}, expect=204)
    receiver.ask("POST", verification, {"stream_id": name}, expect=429)
    verified = dict(events_of(receiver, poll, f"{SSF}verification"))[f"{SSF}verification"]
    assert verified["events"] == {f"{SSF}verification": {"state": "VGhpcyA"}}

    changed = receiver.stream("PATCH", {"stream_id": name, "description": "ours"})
    assert changed == made | {"description": "ours"}
    replaced = receiver.stream("PUT", {"stream_id": name, "delivery": {"method": POLL}})
    assert "description" not in replaced
    assert replaced["delivery"] == made["delivery"]
    status = receiver.metadata["status_endpoint"]
    assert receiver.ask("GET", f"{status}?stream_id={name}") == {"stream_id": name, "status": "enabled"}
    paused = {"stream_id": name, "status": "paused", "reason": "lunch"}
    assert receiver.ask("POST", status, paused) == paused
    assert receiver.ask("POST", status, {"stream_id": name, "status": "enabled"})["status"] == "enabled"
    receiver.ask("POST", status, {"stream_id": name, "status": "asleep"}, expect=400)
    receiver.stream("PATCH", {"stream_id": "unknown"}, expect=404)
    receiver.stream("DELETE", name=name, expect=204)
    receiver.stream("DELETE", name=name, expect=404)
    receiver.ask("POST", poll, {}, expect=404)
    receiver.headers = {"Authorization": "Bearer wrong"}
    receiver.stream("GET", expect=401)


@pytest.mark.parametrize("authorization", ["Bearer abc", "Basic cmVjZWl2ZXI6c2VjcmV0", "an-opaque-secret"])
def test_a_foreign_receiver_is_pushed_to(authorization: str, deployment: Deployment) -> None:
    """With the header that it wished for, whatever its scheme."""
    receiver = deployment.receiver
    delivery = {
        "method": PUSH,
        "endpoint_url": f"{receiver.client}/events",
        "authorization_header": authorization,
    }
    with listening(deployment.port, authorization) as tokens:
        made = receiver.stream("POST", {"delivery": delivery}, expect=201)
        assert made["delivery"]["method"] == PUSH
        name, seen = made["stream_id"], dict[str, dict[str, Any]]()

        def wait_for(event: str) -> Any:
            while event not in seen:
                claims = receiver.verify(tokens.get(timeout=30))
                seen[next(iter(claims["events"]))] = claims
            return seen[event]["events"][event]

        assert len(wait_for(CHANGED)["changes"]) <= 2
        receiver.ask(
            "POST", receiver.metadata["verification_endpoint"], {"stream_id": name, "state": "x"}, expect=204
        )
        seen.pop(f"{SSF}verification", None)
        while wait_for(f"{SSF}verification") != {"state": "x"}:  # a heartbeat
            del seen[f"{SSF}verification"]
        (listed,) = deployment.hub.streams.list_streams()
        assert listed["dead"] == 0
        deployment.hub.streams.set_status(name, "paused", "maintenance")
        assert wait_for(f"{SSF}stream-updated") == {"status": "paused", "reason": "maintenance"}
