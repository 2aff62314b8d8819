"""Sends one message to a reader's endpoint, or fetches a partner's keys: one deadline for the whole call.

Redirects are not followed.

The deadline covers the name's resolution, connection, TLS, request, headers and body together, so an endpoint
that answers with a byte now and then gains nothing. A call that is cancelled ends at once, and a slow one
holds no thread: everything is on an event loop.

Where the environment names a proxy for an endpoint, the proxy resolves the name and decides.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from threading import Thread
from typing import Any

import httpcore
from attrs import evolve, frozen
from requests.utils import get_auth_from_url, get_environ_proxies, select_proxy

from sesame_sdk.constants import JSON_MEDIA_TYPE, SET_MEDIA_TYPE
from sesame_sdk.delivery.http_errors import HttpResponse, raise_for_status
from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.hub.streams.push_policy import PushPolicy

_CONNECT_SECONDS = 3.0
_MAX_ADDRESSES = 4
_MAX_RESPONSE_BYTES = 1 << 16
_FAILURES = (
    OSError,
    TimeoutError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


@frozen
class PushConnection:
    """A connection to one endpoint, for messages one after the other. Discard it after a failure."""

    endpoint: str
    seconds: float
    _pool: httpcore.AsyncConnectionPool

    async def post(self, body: bytes, authorization: str | None) -> None:
        """Send a message. A status 2xx is all that RFC 8935 asks for: the rest may be incomplete.

        Raises:
            RetryableError: no response within `seconds`, or a temporary error.
            InvalidInputError: the reader rejects the message.
            ConfigurationError: the endpoint takes no messages, or has no address that the hub may connect to.
        """
        headers = [
            ("Content-Type", SET_MEDIA_TYPE),
            ("Accept", JSON_MEDIA_TYPE),
            ("User-Agent", "sesame-sdk"),
        ]
        if authorization is not None:
            headers.append(("Authorization", authorization))
        response: HttpResponse | None = None
        try:
            async with (
                asyncio.timeout(self.seconds),
                self._pool.stream("POST", self.endpoint, headers=headers, content=body) as answer,
            ):
                response = HttpResponse(answer.status, _lowered(answer.headers), b"")
                response = evolve(response, body=await _read(answer))
        except _FAILURES as error:
            if response is None or not 200 <= response.status < 300:
                raise RetryableError(f"no response ({type(error).__name__})", field="endpoint_url") from error
        raise_for_status(response, datetime.now(UTC))

    async def get(self) -> bytes:
        """Fetch what is there; of more than 64 kB a beginning that is longer than that. Raises as `post`."""
        headers = [("Accept", JSON_MEDIA_TYPE), ("User-Agent", "sesame-sdk")]
        try:
            async with (
                asyncio.timeout(self.seconds),
                self._pool.stream("GET", self.endpoint, headers=headers) as answer,
            ):
                response = HttpResponse(answer.status, _lowered(answer.headers), await _read(answer))
        except _FAILURES as error:
            raise RetryableError(f"no response ({type(error).__name__})", field="endpoint_url") from error
        return raise_for_status(response, datetime.now(UTC)).body


@frozen
class PushClient:
    """Connects to the endpoints that a policy allows."""

    policy: PushPolicy
    seconds: float

    @asynccontextmanager
    async def connect(self, endpoint: str, issuer: str) -> AsyncIterator[PushConnection]:
        """A connection to an endpoint, made when it is used. Raises `InvalidInputError`: not allowed."""
        self.policy.check_endpoint(endpoint, issuer)
        proxy = select_proxy(endpoint, get_environ_proxies(endpoint))
        options: dict[str, Any] = {"ssl_context": _ssl_context(), "max_connections": 1}
        if proxy:
            pool: httpcore.AsyncConnectionPool = httpcore.AsyncHTTPProxy(
                _without_user(proxy), proxy_auth=_proxy_auth(proxy), **options
            )
        else:
            pool = httpcore.AsyncConnectionPool(network_backend=_CheckedBackend(self.policy), **options)
        async with pool:
            yield PushConnection(endpoint, self.seconds, pool)


class _CheckedBackend(httpcore.AnyIOBackend):
    """Connects to the addresses that a policy allows, each checked after it was resolved."""

    def __init__(self, policy: PushPolicy) -> None:
        self._policy = policy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - of the interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = [one for one in await _resolve(host, port) if self._policy.allows(one)]
        failure: Exception = ConfigurationError(
            "has no address that the hub may connect to", field="endpoint_url", hint="see push_networks"
        )
        for address in addresses[:_MAX_ADDRESSES]:
            try:
                return await super().connect_tcp(
                    str(address), port, _CONNECT_SECONDS, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def _resolve(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """The addresses of a name. Its thread is a daemon: a resolver that hangs must not hold up the process."""
    loop = asyncio.get_running_loop()
    resolved: asyncio.Future[list[Any]] = loop.create_future()

    def finish(addresses: list[Any], error: OSError | None) -> None:
        if resolved.cancelled():
            return
        if error is None:
            resolved.set_result(addresses)
        else:
            resolved.set_exception(error)

    def work() -> None:
        addresses: list[Any] = []
        failure: OSError | None = None
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # the second for a label that is too long
            failure = error if isinstance(error, OSError) else OSError("invalid name")
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for the answer
            loop.call_soon_threadsafe(finish, addresses, failure)

    Thread(target=work, name="sesame-hub-resolver", daemon=True).start()
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in await resolved))


async def _read(answer: httpcore.Response) -> bytes:
    whole = bytearray()
    async for chunk in answer.aiter_stream():
        whole += chunk
        if len(whole) > _MAX_RESPONSE_BYTES:
            break
    return bytes(whole)


def _lowered(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


@cache
def _ssl_context() -> ssl.SSLContext:
    """Certificates as `delivery.http_transport` has them. Read once: this takes milliseconds."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if not bundle:
        return httpcore.default_ssl_context()
    is_folder = Path(bundle).is_dir()
    return ssl.create_default_context(
        capath=bundle if is_folder else None, cafile=None if is_folder else bundle
    )


def _proxy_auth(proxy: str) -> tuple[str, str] | None:
    user, password = get_auth_from_url(proxy)
    return (user, password) if user else None


def _without_user(proxy: str) -> str:
    scheme, separator, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}{separator or '://'}{rest.rpartition('@')[2]}"
