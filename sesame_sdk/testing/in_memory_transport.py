"""Runs an ASGI application in this process, and carries `requests` to it without a socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Future
from io import BytesIO
from threading import Thread
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import requests
from attrs import define, field, frozen
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.model import codec

Event: TypeAlias = MutableMapping[str, Any]
Asgi: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


class AsgiRunner:
    """Runs one application on an event loop in a thread of its own, from its startup to its shutdown."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="in-memory-hub", daemon=True)
        self._thread.start()
        self._stopping = asyncio.Event()
        self._started: Future[str] = Future()
        self._lifespan = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        if fault := self._started.result():
            self._stop_loop()
            raise ConfigurationError(f"the application did not start: {fault}")

    def request(self, scope: Event, body: bytes, timeout: float | None = None) -> "Reply":
        """Send one request, and wait for the whole response, or for so many seconds (`TimeoutError`)."""
        exchange = asyncio.run_coroutine_threadsafe(self._exchange(scope, body), self._loop)
        try:
            return exchange.result(timeout)
        finally:
            exchange.cancel()  # which has no effect on one that ended

    def close(self) -> None:
        """Shut the application down, and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        try:
            self._lifespan.result()
        finally:
            self._stop_loop()

    async def _live(self) -> None:
        events = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

        async def receive() -> Event:
            event = next(events)
            if event["type"] == "lifespan.shutdown":
                await self._stopping.wait()
            return event

        async def send(event: Event) -> None:
            if event["type"] in ("lifespan.startup.complete", "lifespan.startup.failed"):
                self._started.set_result(str(event.get("message", "")))

        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    async def _exchange(self, scope: Event, body: bytes) -> "Reply":
        reply = Reply()
        never: asyncio.Future[Event] = self._loop.create_future()  # the sender stays connected
        unread = deque([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Event:
            return unread.popleft() if unread else await never

        async def send(event: Event) -> None:
            if event["type"] == "http.response.start":
                reply.status = event["status"]
                reply.headers = {name.decode(): value.decode() for name, value in event["headers"]}
            else:
                reply.body += event.get("body", b"")

        await self._app(scope, receive, send)
        return reply

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@define
class Reply:
    """A response, as it came."""

    status: int = 500
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""


@frozen
class Failure:
    """What a request gets instead of the response: a status, or None, which cuts the connection.

    If `processed`, the application gets the request all the same, and only its response is lost.
    """

    status: int | None = None
    retry_after: int | None = None
    processed: bool = False

    def reply(self) -> Reply:
        """The response, or a `requests.ConnectionError` if the connection is cut."""
        if self.status is None:
            raise requests.ConnectionError("connection cut by the test")
        headers = {"content-type": JSON_MEDIA_TYPE}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        code = "too_many" if self.status == requests.codes.too_many_requests else "unavailable"
        body = codec.encode({"err": code, "description": "failure requested by the test"})
        return Reply(self.status, headers, body)


class InMemoryAdapter(BaseAdapter):
    """A `requests` transport adapter to an application in this process. Threads may share it."""

    def __init__(self, runner: AsgiRunner) -> None:
        super().__init__()
        self._runner = runner
        self._failures: deque[Failure] = deque()

    def fail_next(self, failures: Iterable[Failure]) -> None:
        """Let the next requests fail in these ways, after those that are to fail already."""
        self._failures.extend(failures)

    def send(  # noqa: PLR0913, RUF100 - the signature of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: Any = None,  # noqa: ANN401
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request. What concerns sockets, certificates and proxies is ignored."""
        del stream, verify, cert, proxies
        reply = self._reply(request, timeout[1] if isinstance(timeout, tuple) else timeout)
        headers = {"Content-Length": str(len(reply.body))} | reply.headers
        response = requests.Response()
        response.status_code = reply.status
        response.url, response.request = request.url or "", request
        response.headers.update(headers)
        response.raw = HTTPResponse(
            BytesIO(reply.body), headers=headers, status=reply.status, preload_content=False
        )
        return response

    def close(self) -> None:
        """Keep the application running: each closed session calls this."""

    def _reply(self, request: requests.PreparedRequest, timeout: float | None) -> Reply:
        failure = self._failures.popleft() if self._failures else None
        if failure is not None and not failure.processed:
            return failure.reply()
        try:
            reply = self._runner.request(_scope(request), _body(request), timeout)
        except TimeoutError as error:
            raise requests.ReadTimeout("no response in time", request=request) from error
        return reply if failure is None else failure.reply()


def _scope(request: requests.PreparedRequest) -> Event:
    url = urlsplit(request.url or "")
    headers = {"host": url.netloc} | {name.lower(): value for name, value in request.headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), _encoded(value)) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": (url.hostname, url.port),
        "extensions": {},
        "state": {},
    }


def _body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body or b""  # anything that requests can send
    return _encoded(body) if isinstance(body, str | bytes) else b"".join(body)


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
