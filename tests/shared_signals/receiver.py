"""A receiver from SSF 1.0, RFC 6749, 7523, 8417, 8935 and 8936, with jwcrypto and no code of this package."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import requests
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"


class Receiver:
    """Finds a transmitter's endpoints in its metadata, and signs in with ``private_key_jwt``.

    Args:
        transmitter: its issuer URL.
        client: our client id.
        key: our private key.
    """

    def __init__(self, transmitter: str, client: str, key: JWK) -> None:
        self.transmitter, self.client, self.key = transmitter, client, key
        self.metadata = requests.get(f"{transmitter}/.well-known/ssf-configuration", timeout=30).json()
        assert self.metadata["issuer"] == transmitter
        self.headers = {"Authorization": f"Bearer {self.sign_in()}"}
        self.keys = JWKSet.from_json(requests.get(self.metadata["jwks_uri"], timeout=30).text)

    def sign_in(self) -> str:
        """An access token."""
        server = f"{self.transmitter}/.well-known/oauth-authorization-server"
        endpoint = requests.get(server, timeout=30).json()["token_endpoint"]
        now, token = int(time.time()), JWS
        claims = {"iss": self.client, "sub": self.client, "aud": endpoint, "iat": now, "exp": now + 60}
        token = JWS(json.dumps({**claims, "jti": uuid.uuid4().hex}))
        header = {"alg": "EdDSA", "kid": self.key.get("kid"), "typ": "JWT"}
        token.add_signature(self.key, protected=json.dumps(header))
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": token.serialize(compact=True),
            "scope": "ssf.read ssf.manage",
        }
        answer = requests.post(endpoint, data=form, timeout=30).json()
        assert answer["token_type"].lower() == "bearer"
        return str(answer["access_token"])

    def ask(self, method: str, url: str, content: Any = None, *, expect: int = 200) -> Any:
        """Send a request; the JSON of its response, in which no member is null."""
        answer = requests.request(method, url, json=content, headers=self.headers, timeout=60)
        assert answer.status_code == expect, answer.text
        if not answer.content:
            return None
        assert answer.headers["Content-Type"] == "application/json"
        return without_null(answer.json())

    def stream(self, method: str, content: Any = None, *, name: str = "", expect: int = 200) -> Any:
        """A request to the configuration endpoint."""
        query = f"?stream_id={name}" if name else ""
        return self.ask(method, self.metadata["configuration_endpoint"] + query, content, expect=expect)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a SET (RFC 8417) that the transmitter signed for us."""
        signed = JWS.from_jose_token(token)
        header = signed.jose_header
        assert header["typ"] == "secevent+jwt"
        assert header["alg"] in {"EdDSA", "Ed25519"}
        signed.allowed_algs = [header["alg"]]
        signed.verify(self.keys.get_key(header["kid"]))
        claims: dict[str, Any] = without_null(json.loads(signed.payload))
        assert claims["iss"] == self.transmitter
        assert claims["aud"] in (self.client, [self.client])
        assert isinstance(claims["iat"], int)
        assert not {"exp", "sub"} & claims.keys()
        assert claims["sub_id"]["format"] == "opaque"
        assert len(claims["events"]) == 1
        return claims

    def poll(self, url: str, **content: Any) -> dict[str, dict[str, Any]]:
        """The claims of a poll's SETs by ``jti``."""
        answer = self.ask("POST", url, {"returnImmediately": True, **content})
        claims = {jti: self.verify(token) for jti, token in answer["sets"].items()}
        assert all(content["jti"] == jti for jti, content in claims.items())
        return claims


def without_null(value: Any) -> Any:
    """`value`, in which no member is null."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        assert member is not None
        without_null(member)
    return value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        """Accept every SET with the agreed authorization (RFC 8935 section 2)."""
        token = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.headers["Content-Type"] == "application/secevent+jwt"
        known = self.headers.get("Authorization") == self.server.authorization
        self.send_response(202 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if known:
            self.server.tokens.put(token)

    def log_message(self, *_: Any) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    authorization: str
    tokens: "Queue[str]"


@contextmanager
def listening(port: int, authorization: str) -> Iterator["Queue[str]"]:
    """Receives pushes until the block ends."""
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.authorization, server.tokens = authorization, Queue()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.tokens
        finally:
            server.shutdown()
            thread.join(10)
