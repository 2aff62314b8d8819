"""Carries a `Client`'s requests to a hub in this process: real HTTP messages, and no network.

What each error becomes is written down in `sesame_sdk.hub.api.errors` for the real server: 400 about an
event, 401 for a reader who is not believed, 403 for one who may not, 503 for later.
"""

import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_ENVELOPE_BYTES, PROBLEM_MEDIA_TYPE, SET_MEDIA_TYPE
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.errors import GuardRefusedError, InvalidInputError, RetryableError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.problem_details import problem
from sesame_sdk.partner.client import EVENTS_PATH, Client
from sesame_sdk.partner.key_pinning import JWKS_PATH
from sesame_sdk.partner.score_reads import SCORES_PATH
from sesame_sdk.testing.any_hub import AnyHub

_GZIP = 16 + zlib.MAX_WBITS
_NOT_BELIEVED = {"authentication_failed", "invalid_issuer", "invalid_key", "invalid_audience"}
#: Status, media type, body.
_Answer = tuple[int, str, bytes]


class Carrier(BaseAdapter):
    """A requests transport adapter. Give it to a `sesame_sdk.delivery.http_transport.Transport`.

    Args:
        hub: whom the requests are for.
    """

    def __init__(self, hub: AnyHub) -> None:
        super().__init__()
        self._hub = hub

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:  # noqa: ANN401
        """Answer one request."""
        status, media_type, body = self._answer(request)
        headers = {"Content-Type": media_type, "Content-Length": str(len(body))}
        response = requests.Response()
        response.status_code = status
        response.url, response.request = request.url or "", request
        response.headers.update(headers)
        response.raw = HTTPResponse(BytesIO(body), headers=headers, status=status, preload_content=False)
        return response

    def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self, request: requests.PreparedRequest) -> _Answer:
        path = request.path_url
        try:
            if (request.method, path) == ("GET", JWKS_PATH):
                return 200, JSON_MEDIA_TYPE, codec.encode(self._hub.jwks())
            if (request.method, path) == ("POST", EVENTS_PATH):
                return 202, SET_MEDIA_TYPE, self._hub.receive(_body(request))
            if (request.method, path) == ("POST", SCORES_PATH):
                return 200, JSON_MEDIA_TYPE, self._read(request)
        except RetryableError as error:
            return 503, JSON_MEDIA_TYPE, _said("unavailable", error)
        except InvalidInputError as error:
            return _refusal(error, reading=path == SCORES_PATH)
        return 404, JSON_MEDIA_TYPE, b"{}"

    def _read(self, request: requests.PreparedRequest) -> bytes:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        subjects = codec.decode(_body(request), dict[str, tuple[str, ...]])["subjects"]
        return codec.encode({"scores": self._hub.read_scores(token, subjects)})


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else body
    if request.headers.get("Content-Encoding") == "gzip":
        data = zlib.decompressobj(_GZIP).decompress(data, MAX_ENVELOPE_BYTES + 1)
    if len(data) > MAX_ENVELOPE_BYTES:
        raise InvalidInputError(f"must be at most {MAX_ENVELOPE_BYTES} bytes", field="body")
    return data


def _refusal(error: InvalidInputError, *, reading: bool) -> _Answer:
    if isinstance(error, GuardRefusedError):
        status = 403 if reading else 400
        more = {"status": status, "err": error.code, "description": str(error)}
        return status, PROBLEM_MEDIA_TYPE, codec.encode(problem(error, **more))
    status = 400
    if reading:
        status = 401 if error.code in _NOT_BELIEVED else 403 if error.code == "access_denied" else 400
    return status, JSON_MEDIA_TYPE, _said(error.code, error)


def _said(code: str, error: Exception) -> bytes:
    said: Mapping[str, str] = {"err": code, "description": str(error)}
    return codec.encode(said)


def client_of(
    hub: AnyHub,
    *,
    issuer: str,
    hub_issuer: str,
    signer: Signer,
    outbox: Path,
    clock: Callable[[], datetime],
) -> Client:
    """A real `Client` that reaches a hub in this process.

    Args:
        hub: whom it speaks to; it knows the partner already.
        issuer: the partner.
        hub_issuer: the hub's own URL.
        signer: the partner's key.
        outbox: a file that will hold what is posted.
        clock: the hub's own, so that the two agree.
    """
    transport = Transport(hub_issuer, adapter=Carrier(hub))
    return Client(
        issuer=issuer, hub=hub_issuer, signer=signer, outbox=outbox, transport=transport, clock=clock
    )
