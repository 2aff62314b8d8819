"""Sends HTTPS requests to one hub: pooled connections, responses limited in size and time.

Redirects are not followed, cookies are not stored, ``.netrc`` is not read. Proxy and certificate settings of
the environment are read once. Plain http is for this machine only, and never goes to a proxy.
"""

import gzip
import ipaddress
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import get_environ_proxies

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.delivery.http_errors import HttpResponse, parse_http_date, raise_for_status
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError

#: 10,000 scores take less.
MAX_RESPONSE_BYTES = 8 << 20
_CHUNK_BYTES = 65_536
_NO_CONTENT = 204


class Transport:
    """Connections to one hub.

    Args:
        pool_size: connections kept open; as many as there are threads.
        min_gzip_bytes: bodies of this many bytes or more are gzipped; None never compresses.
        timeouts: seconds to connect, and for each read.
        response_seconds: seconds to read a whole response.
        retry_policy: when requests are retried.
        check_status: returns a successful response, and raises for another.
        adapter: sends each request; over the network unless one is given.

    Raises:
        ConfigurationError: the URL is not https.
    """

    def __init__(
        self,
        hub: str,
        *,
        pool_size: int = 4,
        min_gzip_bytes: int | None = 1024,
        timeouts: tuple[float, float] = (5.0, 30.0),
        response_seconds: float = 60.0,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        retry_policy: RetryPolicy | None = None,
        check_status: Callable[[HttpResponse, datetime], HttpResponse] = raise_for_status,
        adapter: BaseAdapter | None = None,
    ) -> None:
        _require_https(hub)
        self._base = hub.rstrip("/")
        self._min_gzip_bytes = min_gzip_bytes
        self._timeouts = timeouts
        self._response_seconds = response_seconds
        self._max_bytes = max_response_bytes
        self._retry_policy = retry_policy or RetryPolicy()
        self._check_status = check_status
        self._adapter = adapter
        self._pool_size = pool_size
        #: What the last ``Date`` of the hub said, and when that was by a monotonic clock.
        self._server_date: tuple[datetime, float] | None = None
        self._pid, self._session = os.getpid(), self._new_session()

    def get(self, path: str, *, bearer: Callable[[], bytes] | None = None) -> HttpResponse:
        """GET. Raises as `post` does."""
        return self._retry_policy.call(lambda: self._request("GET", path, None, _authorization(bearer)))

    def request(
        self, method: str, path: str, body: bytes | None = None, *, authorization: Callable[[], str] | None
    ) -> HttpResponse:
        """Send JSON, or no body. `authorization` makes a header for each attempt. Raises as `post` does."""
        headers = {"Accept": JSON_MEDIA_TYPE} | ({} if body is None else {"Content-Type": JSON_MEDIA_TYPE})

        def attempt() -> HttpResponse:
            shown = {"Authorization": authorization()} if authorization else {}
            return self._request(method, path, body, headers | shown)

        return self._retry_policy.call(attempt)

    def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str,
        accept: str,
        bearer: Callable[[], bytes] | None = None,
    ) -> HttpResponse:
        """POST, with retries; `bearer` makes a new token for each attempt, since none is accepted twice.

        Raises:
            RetryableError: no response, or a temporary error, until attempts or time were exhausted.
            InvalidInputError: the hub rejects the body; a `GuardRefusedError` if its guard does.
            ConfigurationError: the URL is no hub, or denies access.
        """
        headers = {"Content-Type": content_type, "Accept": accept}
        if self._min_gzip_bytes is not None and len(body) >= self._min_gzip_bytes:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"

        def attempt() -> HttpResponse:
            return self._request("POST", path, body, headers | _authorization(bearer))

        return self._retry_policy.call(attempt)

    def server_time(self) -> datetime | None:
        """The hub's time, to the second, by the last response; None before one had a ``Date``."""
        if self._server_date is None:
            return None
        date, received = self._server_date
        return date + timedelta(seconds=time.monotonic() - received)

    def interruptible(self) -> AbstractContextManager[None]:
        """End the waits of all threads when the block raises."""
        return self._retry_policy.interruptible()

    def interrupt(self) -> None:
        """End them from another thread."""
        self._retry_policy.interrupt()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _new_session(self) -> requests.Session:
        network = HTTPAdapter(pool_connections=1, pool_maxsize=self._pool_size, max_retries=0)
        return _session(self._base, self._adapter or network)

    def _own_session(self) -> requests.Session:
        """The session of this process: a parent and its child must not share a connection."""
        if self._pid != os.getpid():
            self._pid, self._session = os.getpid(), self._new_session()
        return self._session

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpResponse:
        try:
            with self._own_session().request(
                method,
                self._base + path,
                data=body,
                headers=headers,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                if date := parse_http_date(response.headers.get("Date", "")):
                    self._server_date = date, time.monotonic()
                result = HttpResponse(response.status_code, _lowered(response), self._read(response))
        except requests.exceptions.SSLError as error:
            raise ConfigurationError(
                "TLS certificate is not trusted", field="hub", hint="check its URL and certificate"
            ) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ConfigurationError("is not a usable URL", field="hub") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise RetryableError(f"no response ({type(error).__name__})", field="hub") from error
        return self._check_status(result, datetime.now(UTC))

    def _read(self, response: requests.Response) -> bytes:
        _require_length(response)
        ends = time.monotonic() + self._response_seconds
        whole = bytearray()
        # read1 returns after each chunk, so that a slow response cannot exceed the time limit.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            whole += chunk
            if len(whole) > self._max_bytes:
                if not response.ok:
                    break
                raise InvalidInputError(
                    f"response exceeds {self._max_bytes} bytes", field="hub", code="invalid_response"
                )
            if time.monotonic() > ends:
                raise RetryableError(f"response took more than {self._response_seconds:g} s", field="hub")
        return bytes(whole)


def _authorization(bearer: Callable[[], bytes] | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer().decode()}"} if bearer else {}


def _session(base: str, adapter: BaseAdapter) -> requests.Session:
    session = requests.Session()
    # With trust_env, requests reads .netrc and the environment again for every request, and .netrc
    # would replace our Authorization header.
    session.trust_env = False
    if not _is_loopback(urlsplit(base).hostname or ""):
        session.proxies.update(get_environ_proxies(base))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "sesame-sdk"})
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def _require_length(response: requests.Response) -> None:
    """A response without a length, ended by the connection, may be incomplete."""
    has_length = any(name in response.headers for name in ("Content-Length", "Transfer-Encoding"))
    if not has_length and response.status_code != _NO_CONTENT:
        raise RetryableError("response has no Content-Length", field="hub")


def _lowered(response: requests.Response) -> dict[str, Any]:
    return {name.lower(): value for name, value in response.headers.items()}


def _require_https(hub: str) -> None:
    parts = urlsplit(hub)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise ConfigurationError(
        "must be an https URL", field="hub", hint="http is for 127.0.0.1 and localhost only"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
