"""A transmitter from SSF 1.0, RFC 8417, 8935, 8936 and 7517, with jwcrypto, and no code of this package."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
SUPPORTED = [SESSION_REVOKED, "https://schemas.openid.net/secevent/risc/event-type/account-disabled"]
_KEYS = {"EdDSA": {"kty": "OKP", "crv": "Ed25519"}, "ES256": {"kty": "EC", "crv": "P-256"}}


@cache
def _other_keys() -> tuple[JWK, ...]:
    return (
        JWK.generate(kty="RSA", size=2048, kid="enc", use="enc"),
        JWK.generate(kty="EC", crv="P-521", kid="p521"),
        JWK.generate(kty="OKP", crv="X25519", kid="x"),
    )


class Transmitter:
    """One issuer at a path of a server, with one access token, and several streams.

    Args:
        origin: of its server.
        algorithm: what it signs with.
        path: of its issuer.
        audience: by which it names its receiver.
    """

    def __init__(self, origin: str, algorithm: str, path: str, audience: str) -> None:
        self.issuer, self.path, self.origin = origin + path, path.rstrip("/"), origin
        self.algorithm, self.audience, self.token = algorithm, audience, uuid.uuid4().hex
        kind = _KEYS.get(algorithm, {"kty": "RSA", "size": 2048})
        self.key = JWK.generate(**kind, kid="2026-11 key/1", use="sig", alg=algorithm)
        self.streams: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, dict[str, str]] = {}
        self.pending: dict[str, dict[str, str]] = {}
        self.acknowledged: list[str] = []
        self.rejected: dict[str, dict[str, str]] = {}
        self.headers_for_push: dict[str, str] = {}
        self.authorizations: set[str | None] = set()
        self.requests: list[str] = []
        self.metadata_issuer = self.issuer
        self.answer_accepted = False

    def metadata(self) -> dict[str, Any]:
        """Section 7.1, with endpoints at paths of its own, one with a query."""
        base = f"{self.origin}/mgmt{self.path}"
        return {
            "spec_version": "1_0",
            "issuer": self.metadata_issuer,
            "jwks_uri": f"{base}/keys",
            "delivery_methods_supported": [PUSH, POLL],
            "configuration_endpoint": f"{base}/streams?tenant=a",
            "status_endpoint": f"{base}/state",
            "add_subject_endpoint": f"{base}/subject:add",
            "verification_endpoint": f"{base}/check",
            "critical_subject_members": ["tenant"],
            "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
            "default_subjects": "NONE",
        }

    def jwks(self) -> dict[str, Any]:
        """Its key, and keys for other uses."""
        keys = [key.export_public(as_dict=True) for key in (*_other_keys(), self.key)]
        return {"keys": [{"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}, *keys]}

    def sign(self, events: dict[str, Any], sub_id: dict[str, Any], **claims: Any) -> tuple[str, str]:
        """A SET (RFC 8417), and its ``jti``. There is no ``exp``."""
        jti = f"urn:uuid:{uuid.uuid4()}:{'x' * 60}"
        content = {"iss": self.issuer, "jti": jti, "iat": int(time.time()), "aud": ["other", self.audience]}
        content |= {"txn": "8675309", "sub_id": sub_id, "events": events, **claims}
        token = JWS(json.dumps(content))
        header = {"alg": self.algorithm, "kid": self.key.get("kid"), "typ": "secevent+jwt"}
        token.allowed_algs = [self.algorithm]
        token.add_signature(self.key, protected=json.dumps(header))
        return str(content["jti"]), str(token.serialize(compact=True))

    def send(
        self, stream: str, events: dict[str, Any], sub_id: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Queue a SET for polling, or push it until the receiver answers for good; its ``jti``."""
        jti, token = self.sign(events, sub_id or {"format": "opaque", "id": stream}, **claims)
        self.pending.setdefault(stream, {})[jti] = token
        delivery = self.streams[stream]["delivery"]
        if delivery["method"] == PUSH:
            self._push(delivery["endpoint_url"], stream, jti)
        return jti

    def _push(self, url: str, stream: str, jti: str) -> None:
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        token = self.pending[stream][jti].encode()
        response = requests.post(url, token, headers=headers | self.headers_for_push, timeout=30)
        if response.status_code == 202:
            self.acknowledged.append(jti)
        elif response.status_code == 400:
            assert response.headers["Content-Language"]
            self.rejected[jti] = response.json()
        else:
            raise AssertionError(f"status {response.status_code}")
        del self.pending[stream][jti]

    def answer(self, method: str, path: str, query: dict[str, list[str]], content: Any) -> tuple[int, Any]:
        """Management (section 8.1) and polls (RFC 8936)."""
        self.requests.append(f"{method} {path}")
        if path.startswith("/poll/"):
            return self._poll(path.removeprefix("/poll/"), content)
        stream = (
            content["stream_id"] if content and "stream_id" in content else query.get("stream_id", [""])[0]
        )
        if path == "/streams":
            return self._configure(method, stream, content)
        if stream not in self.streams:
            return 404, None
        if path == "/state":
            if method == "POST":
                self.statuses[stream] = content
                if self.answer_accepted:
                    return 202, None
            return 200, self.statuses[stream]
        assert path == "/check"
        self.send(stream, {f"{SSF}verification": {"state": content["state"]} if "state" in content else {}})
        return 204, None

    def _configure(self, method: str, stream: str, content: Any) -> tuple[int, Any]:
        if method == "POST":
            stream = uuid.uuid4().hex
            self.streams[stream] = self._configuration(stream, content)
            self.statuses[stream] = {"stream_id": stream, "status": "enabled"}
            return 201, self.streams[stream]
        if method == "GET" and not stream:
            return 200, list(self.streams.values())
        if stream not in self.streams:
            return 404, None
        if method == "DELETE":
            del self.streams[stream]
            return 204, None
        if method in ("PATCH", "PUT"):
            known = self.streams[stream] if method == "PATCH" else {}
            self.streams[stream] = self._configuration(stream, known | content)
            if self.answer_accepted:
                return 202, None
        return 200, self.streams[stream]

    def _configuration(self, stream: str, content: dict[str, Any]) -> dict[str, Any]:
        delivery = dict(content["delivery"])
        if header := delivery.pop("authorization_header", None):
            self.headers_for_push = {"Authorization": header}
        if delivery["method"] == POLL:
            delivery["endpoint_url"] = f"{self.origin}/mgmt{self.path}/poll/{stream}"
        requested = content.get("events_requested", [])
        return content | {
            "stream_id": stream,
            "iss": self.issuer,
            "aud": [self.audience, "other"],
            "delivery": delivery,
            "events_supported": SUPPORTED,
            "events_requested": requested,
            "events_delivered": [event for event in SUPPORTED if event in requested],
        }

    def _poll(self, stream: str, content: dict[str, Any]) -> tuple[int, Any]:
        if stream not in self.streams:
            return 404, None
        pending = self.pending.setdefault(stream, {})
        for jti in content.get("ack", ()):
            pending.pop(jti, None)
            self.acknowledged.append(jti)
        for jti, error in content.get("setErrs", {}).items():
            pending.pop(jti, None)
            self.rejected[jti] = error
        due = list(pending.items())[: content.get("maxEvents", 100)]
        return 200, {"sets": dict(due)} | ({"moreAvailable": True} if len(due) < len(pending) else {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _serve(self) -> None:
        parts, us = urlsplit(self.path), self.server.transmitter
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if parts.path == f"/.well-known/ssf-configuration{us.path}":
            return self._reply(200, us.metadata())
        if not parts.path.startswith(f"/mgmt{us.path}/"):
            return self._reply(404, None)
        path = parts.path.removeprefix(f"/mgmt{us.path}")
        if path == "/keys":
            return self._reply(200, us.jwks())
        us.authorizations.add(self.headers.get("Authorization"))
        if self.headers.get("Authorization") != f"Bearer {us.token}":
            return self._reply(401, None)
        content = json.loads(body) if body else None
        if body and self.headers.get("Content-Type") != "application/json":
            return self._reply(415, None)
        query = parse_qs(parts.query)
        if path == "/streams" and query.pop("tenant", None) != ["a"]:
            return self._reply(400, None)
        return self._reply(*us.answer(self.command, path, query, content))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _reply(self, status: int, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    transmitter: Transmitter


@contextmanager
def transmitting(
    algorithm: str = "ES256", *, path: str = "/issuer1", audience: str = "receiver"
) -> Iterator[Transmitter]:
    """A transmitter that answers until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.transmitter = Transmitter(f"http://127.0.0.1:{server.server_port}", algorithm, path, audience)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.transmitter
        finally:
            server.shutdown()
            thread.join(10)
