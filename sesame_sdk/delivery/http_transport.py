"""HTTPS to one hub: connections kept and shared by threads, every answer bounded in size and time.

No redirect is followed, no cookie kept, no ``.netrc`` read. Proxy and certificate settings of the
environment are read once. Plain http is for this machine only: what we carry is signed, not secret.
"""

import gzip
import ipaddress
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import get_environ_proxies

from sesame_sdk.delivery.http_errors import HttpResponse, raise_for_status
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError

#: The largest answer that we ask for: 10,000 scores.
MAX_RESPONSE_BYTES = 8 << 20
_PIECE = 65_536
_NO_CONTENT = 204


class Transport:
    """A way to one hub.

    Args:
        hub: base URL.
        pool_size: connections kept open; give as many as there are threads.
        min_gzip_bytes: bodies of this many bytes or more are sent gzipped; None never does. Worth its
            processor time on any network slower than a local one.
        timeouts: seconds to connect, and for each wait for bytes.
        response_seconds: for reading one whole answer.
        retry_policy: when to try again.
        adapter: carries each request; over the network unless one is given.

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
        adapter: BaseAdapter | None = None,
    ) -> None:
        _refuse_plain_http(hub)
        self._base = hub.rstrip("/")
        self._gzip_from = min_gzip_bytes
        self._timeouts = timeouts
        self._answer_seconds = response_seconds
        self._largest = max_response_bytes
        self._retries = retry_policy or RetryPolicy()
        self._session = _session(
            self._base, adapter or HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        )

    def get(self, path: str, *, bearer: Callable[[], bytes] | None = None) -> HttpResponse:
        """GET. Raises as `post` does."""
        return self._retries.call(lambda: self._once("GET", path, None, _shown(bearer)))

    def delete(self, path: str, *, bearer: Callable[[], bytes] | None = None) -> HttpResponse:
        """DELETE. Raises as `post` does."""
        return self._retries.call(lambda: self._once("DELETE", path, None, _shown(bearer)))

    def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str,
        accept: str,
        bearer: Callable[[], bytes] | None = None,
    ) -> HttpResponse:
        """POST until answered.

        Args:
            path: below the hub's base URL, beginning with a slash.
            body: sent as it is, or gzipped.
            content_type: of the body.
            accept: the one media type that we can read.
            bearer: makes a fresh token for each attempt, as none is accepted twice.

        Raises:
            RetryableError: no answer, or none but "later", until attempts or time were used up.
            InvalidInputError: this body will never be taken; `GuardRefusedError` when the guard said so.
            ConfigurationError: the hub cannot be spoken to in this way at all.
        """
        headers = {"Content-Type": content_type, "Accept": accept}
        if self._gzip_from is not None and len(body) >= self._gzip_from:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"

        def attempt() -> HttpResponse:
            return self._once("POST", path, body, headers | _shown(bearer))

        return self._retries.call(attempt)

    def interruptible(self) -> AbstractContextManager[None]:
        """When the block raises, no thread waits for its next attempt any more."""
        return self._retries.interruptible()

    def interrupt(self) -> None:
        """The same, from another thread than the block's."""
        self._retries.interrupt()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> HttpResponse:
        try:
            with self._session.request(
                method,
                self._base + path,
                data=body,
                headers=headers,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = HttpResponse(response.status_code, _lowered(response), self._read(response))
        except requests.exceptions.SSLError as error:
            raise ConfigurationError(
                "has no certificate that we trust", field="hub", hint="check its address and certificate"
            ) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ConfigurationError("is not a usable URL", field="hub") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise RetryableError(f"no answer ({type(error).__name__})", field="hub") from error
        return raise_for_status(answer, datetime.now(UTC))

    def _read(self, response: requests.Response) -> bytes:
        _refuse_cut_short(response)
        ends = time.monotonic() + self._answer_seconds
        whole = bytearray()
        # read1 comes back after each piece that arrives, so that a trickle cannot hold us.
        while piece := response.raw.read1(_PIECE, decode_content=False):
            whole += piece
            if len(whole) > self._largest:
                if not response.ok:
                    break
                raise InvalidInputError(
                    f"answered with more than {self._largest} bytes", field="hub", code="invalid_answer"
                )
            if time.monotonic() > ends:
                raise RetryableError(f"took more than {self._answer_seconds:g} s to answer", field="hub")
        return bytes(whole)


def _shown(bearer: Callable[[], bytes] | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer().decode()}"} if bearer else {}


def _session(base: str, adapter: BaseAdapter) -> requests.Session:
    session = requests.Session()
    # With trust_env, requests reads .netrc and the environment again for every request, and what
    # .netrc says would take the place of our own Authorization header.
    session.trust_env = False
    session.proxies.update(get_environ_proxies(base))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "sesame-sdk"})
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def _refuse_cut_short(response: requests.Response) -> None:
    """An answer that ends when the connection does cannot be told from one that was cut."""
    told = any(name in response.headers for name in ("Content-Length", "Transfer-Encoding"))
    if not told and response.status_code != _NO_CONTENT:
        raise RetryableError("no answer that says how long it is", field="hub")


def _lowered(response: requests.Response) -> dict[str, Any]:
    return {name.lower(): value for name, value in response.headers.items()}


def _refuse_plain_http(hub: str) -> None:
    parts = urlsplit(hub)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname or "")):
        return
    raise ConfigurationError(
        "must be an https URL", field="hub", hint="http is for 127.0.0.1 and localhost only"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
