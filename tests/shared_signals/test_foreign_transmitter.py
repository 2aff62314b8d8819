"""Our receiver subscribes to a transmitter of other software, by poll and by push."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from jwcrypto.jwk import JWK

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError, StreamSubscriber
from sesame_sdk.partner.score_store.inbox import OtherEvent
from sesame_sdk.partner.score_store.stream_client import StreamClient, TransmitterKeys, metadata_url
from tests.shared_signals.transmitter import (
    POLL,
    PUSH,
    SESSION_REVOKED,
    SSF,
    SUPPORTED,
    Transmitter,
    transmitting,
)

PURPOSE, CONTEXT, AUDIENCE = "https://w3id.org/dpv#PersonalisedBenefits", "retail", "receiver.example.com/web"
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
SUBJECT = {
    "format": "complex",
    "user": {"format": "iss_sub", "iss": "https://idp.example", "sub": "145234573"},
}
_Events = list[OtherEvent]


@contextmanager
def subscribed(us: Transmitter, path: Path, events: _Events, **settings: Any) -> Iterator[StreamSubscriber]:
    """A subscriber with an access token."""
    settings.setdefault("authorization", lambda: f"Bearer {us.token}")
    with StreamSubscriber.from_transmitter(
        us.issuer,
        path / "store.sqlite",
        audience=AUDIENCE,
        purpose=PURPOSE,
        context=CONTEXT,
        events_requested=(*SUPPORTED, "urn:x:y"),
        on_other_event=events.append,
        **settings,
    ) as subscriber:
        yield subscriber


@contextmanager
def receiving(subscriber: StreamSubscriber) -> Iterator[str]:
    """The inbox, served for pushes; its URL."""
    server = uvicorn.Server(
        uvicorn.Config(subscriber.inbox.app, port=0, log_level="critical", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/events"
    finally:
        server.should_exit = True
        thread.join(30)


def drain(subscriber: StreamSubscriber) -> None:
    """Poll until all is received and acknowledged."""
    while subscriber.poll(wait=False):
        pass


def exercise(us: Transmitter, subscriber: StreamSubscriber, events: _Events, deliver: Any) -> None:
    """What is the same for both ways of delivery."""
    name, store = subscriber.store.state.stream, subscriber.store
    sent = [us.send(name, {SESSION_REVOKED: {"event_timestamp": 1}}, SUBJECT)]
    sent.append(
        us.send(name, {SESSION_REVOKED: {}, "urn:x:alias": {}}, {"format": "did", "url": "did:example:1"})
    )
    sent.append(us.send(name, {f"{SSF}verification": {}}))
    deliver()
    assert us.acknowledged == sent
    assert [event.types for event in events] == [(SESSION_REVOKED,), (SESSION_REVOKED, "urn:x:alias")]
    assert json.loads(events[0].claims)["sub_id"] == SUBJECT
    assert subscriber.inbox.other_events[SESSION_REVOKED] == 2
    assert not store.state.stale

    state = subscriber.request_verification()
    deliver()
    assert store.is_verified(state)
    for reason in ("license_is_not_valid", "line\nbreak"):
        us.send(name, {f"{SSF}stream-updated": {"status": "paused", "reason": reason}})
    deliver()
    assert store.state.status == "paused"
    us.send(name, {f"{SSF}stream-updated": {"status": "disabled"}})
    deliver()
    assert store.state.status == "disabled"
    assert subscriber.set_status("enabled").status == store.state.status == "enabled"
    assert us.rejected == {}

    wrong = {
        us.send(name, {f"{SSF}verification": {"state": "of somebody else"}}): "invalid_state",
        us.send(name, {f"{SSF}stream-updated": {"status": "sleeping"}}): "invalid_request",
        us.send(name, {f"{SSF}verification": {}, SESSION_REVOKED: {}}): "invalid_request",
        us.send(name, {}): "invalid_request",
        us.send(name, {SESSION_REVOKED: {}}, aud="other"): "invalid_audience",
        us.send(name, {SESSION_REVOKED: {}}, iss="https://another.example"): "invalid_issuer",
        us.send(name, {SESSION_REVOKED: {}}, iat=1): "invalid_request",
    }
    deliver()
    assert {jti: error["err"] for jti, error in us.rejected.items()} == wrong
    assert all(error["description"] for error in us.rejected.values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stream_that_is_polled(algorithm: str, tmp_path: Path) -> None:
    """At the transmitter's own poll endpoint, with keys for other uses in its set."""
    events: _Events = []
    with transmitting(algorithm, audience=AUDIENCE) as us, subscribed(us, tmp_path, events) as subscriber:
        name = subscriber.ensure_stream()
        assert us.streams[name]["events_delivered"] == SUPPORTED
        assert us.streams[name]["delivery"]["method"] == POLL
        exercise(us, subscriber, events, lambda: drain(subscriber))
        assert us.authorizations == {f"Bearer {us.token}"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stream_that_is_pushed(algorithm: str, tmp_path: Path) -> None:
    """With a token that the transmitter shows."""
    events: _Events = []
    with (
        transmitting(algorithm, audience=AUDIENCE) as us,
        subscribed(us, tmp_path, events) as subscriber,
        receiving(subscriber) as url,
    ):
        name = subscriber.ensure_stream(push_to=url, bearer="for-pushes")
        assert us.streams[name]["delivery"] == {"method": PUSH, "endpoint_url": url}
        assert us.headers_for_push == {"Authorization": "Bearer for-pushes"}
        exercise(us, subscriber, events, lambda: None)
        us.headers_for_push = {"Authorization": "Bearer another"}
        with pytest.raises(AssertionError, match="401"):
            us.send(name, {SESSION_REVOKED: {}})


def test_streams_are_managed_as_specified() -> None:
    """SSF 1.0 section 8.1, with a fixed token; 202 means that the result is read afterwards."""
    with transmitting(audience=AUDIENCE) as us, StreamClient(us.issuer, f"Bearer {us.token}") as client:
        assert client.list_streams() == []
        first = client.create(description="a", events_requested=SUPPORTED[:1])
        second = client.create(push_to="https://receiver.example/events", authorization_header="Basic eA==")
        assert {stream.stream_id for stream in client.list_streams()} == {first.stream_id, second.stream_id}
        assert us.headers_for_push == {"Authorization": "Basic eA=="}
        assert client.read(first.stream_id) == first
        assert (first.iss, first.aud, first.events_delivered) == (
            us.issuer,
            (AUDIENCE, "other"),
            (SUPPORTED[0],),
        )
        for us.answer_accepted in (False, True):
            changed = client.update(first.stream_id, description="b")
            assert (changed.description, changed.events_requested) == ("b", (SUPPORTED[0],))
            replaced = client.replace(first.stream_id, delivery={"method": POLL})
            assert (replaced.description, replaced.events_requested) == (None, ())
            client.update(first.stream_id, events_requested=SUPPORTED[:1])
            assert client.set_status(first.stream_id, "paused", "lunch").reason == "lunch"
            assert client.status(first.stream_id).status == "paused"
        client.request_verification(first.stream_id)
        client.delete(second.stream_id)
        assert client.list_streams() == [client.read(first.stream_id)]
        with pytest.raises(InvalidInputError, match="404") as caught:
            client.read(second.stream_id)
        assert caught.value.code == "not_found"


def test_a_stream_of_other_software_of_ours_is_left_alone(tmp_path: Path) -> None:
    """A store begins a new stream for another delivery, and deletes only its own; else it is used again."""
    with transmitting(audience=AUDIENCE) as us:
        with StreamClient(us.issuer, f"Bearer {us.token}") as client:
            other = client.create().stream_id
        with subscribed(us, tmp_path, []) as subscriber:
            name = subscriber.ensure_stream()
            assert subscriber.ensure_stream() == name
        with subscribed(us, tmp_path, []) as subscriber:
            us.send(name, {SESSION_REVOKED: {}})
            assert subscriber.poll(wait=False)
            assert subscriber.ensure_stream() == name
            assert subscriber.ensure_stream(push_to="http://127.0.0.1:9/events") != name
        assert len(us.streams) == 2
        assert other in us.streams


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://tr.example.com", "https://tr.example.com/.well-known/ssf-configuration"),
        ("https://tr.example.com/", "https://tr.example.com/.well-known/ssf-configuration"),
        ("https://tr.example.com/issuer1", "https://tr.example.com/.well-known/ssf-configuration/issuer1"),
        ("https://tr.example.com:8443/a/b/", "https://tr.example.com:8443/.well-known/ssf-configuration/a/b"),
    ],
)
def test_where_metadata_is(issuer: str, url: str) -> None:
    """SSF 1.0 section 7.2.1."""
    assert metadata_url(issuer) == url


@pytest.mark.parametrize("path", ["", "/", "/issuer1", "/a/b/"])
def test_an_issuer_at_any_path(path: str, tmp_path: Path) -> None:
    """Its spelling is kept, with a slash at its end too."""
    events: _Events = []
    with transmitting(path=path, audience=AUDIENCE) as us, subscribed(us, tmp_path, events) as subscriber:
        us.send(subscriber.ensure_stream(), {SESSION_REVOKED: {}})
        drain(subscriber)
        assert len(events) == len(us.acknowledged) == 1


def test_metadata_of_another_issuer_is_refused(tmp_path: Path) -> None:
    """SSF 1.0 section 7.2.3; a stream of another issuer or for another audience as well."""
    with transmitting(audience=AUDIENCE) as us, subscribed(us, tmp_path, []) as subscriber:
        us.metadata_issuer = us.issuer + "/"
        with pytest.raises(ConfigurationError, match="issuer"):
            subscriber.ensure_stream()
        us.metadata_issuer = us.issuer
        us.audience = "somebody else"
        with pytest.raises(ConfigurationError, match="aud"):
            subscriber.ensure_stream()
        assert us.acknowledged == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://tr.example.com/x",
        "ftp://tr.example.com/x",
        "file:///etc/passwd",
        "https://user:password@tr.example.com/x",
        "https://tr.example.com:99999/x",
        "https:///x",
        "/relative",
        "https://tr.example.com/x y",
        "https://[::1/x",
    ],
)
def test_an_endpoint_is_https(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata cannot send our token over plain http, or to what is no web address."""
    with transmitting() as us, StreamClient(us.issuer, "Bearer secret") as client:
        metadata = us.metadata() | {"configuration_endpoint": endpoint}
        monkeypatch.setattr(us, "metadata", lambda: metadata)
        with pytest.raises(ConfigurationError) as caught:
            client.list_streams()
        assert "password" not in str(caught.value)


@pytest.mark.parametrize("missing", ["jwks_uri", "status_endpoint", "verification_endpoint"])
def test_an_endpoint_that_is_missing_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stream works without status and verification."""
    with transmitting(audience=AUDIENCE) as us, subscribed(us, tmp_path, []) as subscriber:
        metadata = {name: value for name, value in us.metadata().items() if name != missing}
        monkeypatch.setattr(us, "metadata", lambda: metadata)

        def use() -> None:
            name = subscriber.ensure_stream()
            subscriber.client.status(name)
            subscriber.client.request_verification(name)

        with pytest.raises(ConfigurationError, match=missing):
            use()


def test_denied_access_is_no_retry(tmp_path: Path) -> None:
    """A wrong token is the configuration's fault."""
    with (
        transmitting() as us,
        subscribed(us, tmp_path, [], authorization="Bearer wrong") as subscriber,
        pytest.raises(ConfigurationError, match="401"),
    ):
        subscriber.ensure_stream()


def test_keys_are_fetched_again() -> None:
    """A rotated key is found, a withdrawn one is not after an hour, and one question a minute is asked."""
    times = [0.0]
    with transmitting() as us, StreamClient(us.issuer, "Bearer x") as client:
        keys = TransmitterKeys(us.issuer, client.fetch_keys, clock=lambda: times[-1])

        def find(kid: str, issuer: str = us.issuer) -> Any:
            return keys.find(issuer, kid, datetime.now(UTC))

        old = find(us.key.get("kid"))
        withdrawn, us.key = us.key, JWK.generate(kty="EC", crv="P-256", kid="next", use="sig")
        with pytest.raises(RetryableError, match="just now") as caught:
            find("next")
        assert caught.value.retry_after == 60.0
        assert find(old["kid"]) == old
        us.key = withdrawn
        times.append(60.0)
        with pytest.raises(InvalidInputError, match="kid"):
            find("next")
        us.key = JWK.generate(kty="EC", crv="P-256", kid="next", use="sig")
        times.append(3659.0)
        assert find(old["kid"]) == old
        times.append(3660.0)
        with pytest.raises(InvalidInputError) as refused:
            find(old["kid"])
        assert refused.value.code == "invalid_key"
        assert find("next")["kid"] == "next"
        with pytest.raises(InvalidInputError) as refused:
            find("next", us.issuer + "/")
        assert refused.value.code == "invalid_issuer"


def test_every_published_set_is_read_or_set_aside(shared_data: Path, tmp_path: Path) -> None:
    """All SETs of SSF, CAEP and RISC, signed by the transmitter with its issuer, audience and time."""
    lines = (shared_data / "ssf/set_payload_examples.jsonl").read_text(encoding="utf-8").splitlines()
    events: _Events = []
    with transmitting("RS256", audience=AUDIENCE) as us, subscribed(us, tmp_path, events) as subscriber:
        name = subscriber.ensure_stream()
        for claims in (json.loads(line)["json"] for line in lines):
            for event in claims["events"].values():
                if "state" in event:
                    subscriber.store.expect_verification(event["state"])
            about = claims if not next(iter(claims["events"])).startswith(SSF) else {"sub_id": None}
            known = {
                n: v for n, v in claims.items() if n not in ("iss", "aud", "iat", "jti", "events", "sub_id")
            }
            us.send(name, claims["events"], about.get("sub_id"), **known)
        drain(subscriber)
        assert us.rejected == {}
        assert len(us.acknowledged) == len(lines) == 22
        assert len(events) == 19
        assert subscriber.store.state.status == "paused"
