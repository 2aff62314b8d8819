"""The ASGI application of ``sesame social serve``: ``comments:analyze`` and ``comments:suggestscore``.

Rules:
1. No text is kept, unless the site asks for suggested scores to be kept; none is logged, nor in a metric.
2. Bodies, their time, and requests a second are bounded; what is too much gets an error with a time to wait.
3. A request has a JSON content type, which no form of another site can send, and the host name of this
   server, so that DNS rebinding cannot reach it.
4. With an API key, requests without it are rejected, in constant time.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import define, field, frozen
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sesame_sdk import ConfigurationError, RetryableError
from sesame_social.classifier import classify, load_model
from sesame_social.classifier.model import SHIPPED_MODEL
from sesame_social.labelled_posts import LabelledPost, LabelledPosts
from sesame_social.serve.discovery import discovery_document
from sesame_social.serve.perspective import (
    Analyzer,
    AnalyzeRequest,
    ApiError,
    SuggestRequest,
    check_comment,
    check_names,
)
from sesame_social.serve.quantile_map import load_quantile_map

T = TypeVar("T")
_log = logging.getLogger(__name__)
MAX_BODY_BYTES = 256 * 1024
BODY_SECONDS = 10.0
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MIN_KEY_LENGTH = 16
#: Requests that wait for the classifier; a further one gets 429.
MAX_WAITING = 64
_JSON = "application/json"


@define
class RateLimit:
    """At most `rate` requests a second in the long run, and a second's worth at once (GCRA)."""

    rate: float
    clock: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0, init=False)

    def admit(self) -> float:
        """0 if a request may proceed now, and otherwise the seconds to wait."""
        now, step = self.clock(), 1 / self.rate
        if self._next - now > 1 - step:
            return self._next - now - (1 - step)
        self._next = max(self._next, now) + step
        return 0.0


@frozen(eq=False)
class Settings:
    """How the application serves.

    Attributes:
        hosts: accepted host names, without a port.
        key: the API key that requests must carry, if any.
        rate: requests a second.
        labels: keeps suggested scores, if the site asks for it.
    """

    hosts: Sequence[str] = LOOPBACK_HOSTS
    key: str | None = None
    rate: float = 100.0
    labels: LabelledPosts | None = None


class _Metrics:
    """Counts and times; no label has anything of a text."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "sesame_social_requests",
            "Requests by method and status.",
            ["method", "code"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "sesame_social_request_seconds",
            "Seconds to answer a request.",
            ["method"],
            registry=self.registry,
        )


class PerspectiveApi:
    """The handlers of the application."""

    def __init__(self, analyzer: Analyzer, settings: Settings) -> None:
        self._analyzer, self._settings = analyzer, settings
        self._limit = RateLimit(settings.rate)
        self._metrics = _Metrics()
        self._waiting = 0
        self._classifier = asyncio.Lock()

    async def analyze(self, request: Request) -> Response:
        """``POST /v1alpha1/comments:analyze``."""
        return await self._handle("analyze", request, AnalyzeRequest, self._analyzer.analyze)

    async def suggest(self, request: Request) -> Response:
        """``POST /v1alpha1/comments:suggestscore``: kept for the moderators if the site asks for it."""
        return await self._handle("suggestscore", request, SuggestRequest, self._keep)

    def _keep(self, request: SuggestRequest) -> dict[str, Any]:
        text = check_comment(request.comment)
        if not request.scores:
            raise ApiError(400, "Missing attribute_scores.")
        check_names(request.scores)
        if self._settings.labels is not None:
            self._settings.labels.append(LabelledPost(text, request.scores, "suggestion"))
        answer: dict[str, Any] = {"requestedLanguages": list(request.languages)} if request.languages else {}
        return answer | ({"clientToken": request.client_token} if request.client_token else {})

    async def _handle(
        self, method: str, request: Request, kind: type[T], work: Callable[[T], dict[str, Any]]
    ) -> Response:
        began = time.perf_counter()
        try:
            self._admit(request)
            content = _decode(await _read_body(request), kind)
            response = _respond(200, await self._work(work, content))
        except ApiError as error:
            response = respond_error(error)
        except RetryableError as error:  # the disk: its text names a file of the site's, so it stays here
            _log.error("a suggested score was not kept: %s", type(error).__name__)
            response = respond_error(ApiError(503, "Try again later.", "UNAVAILABLE", retry_after=10))
        self._metrics.requests.labels(method, response.status_code).inc()
        self._metrics.seconds.labels(method).observe(time.perf_counter() - began)
        return response

    def _admit(self, request: Request) -> None:
        given = request.query_params.get("key") or request.headers.get("x-goog-api-key", "")
        key = self._settings.key
        if key is not None and not hmac.compare_digest(given.encode(), key.encode()):
            raise ApiError(403, "The API key is missing or wrong.", "PERMISSION_DENIED")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
            raise ApiError(415, f"The content type must be {_JSON}.")
        if (seconds := self._limit.admit()) > 0 or self._waiting >= MAX_WAITING:
            message = "Too many requests; try again later."
            raise ApiError(429, message, "RESOURCE_EXHAUSTED", retry_after=int(seconds) + 1)

    async def _work(self, work: Callable[[T], dict[str, Any]], content: T) -> dict[str, Any]:
        self._waiting += 1
        try:
            async with self._classifier:  # two at once would take turns on the interpreter and both be late
                return await run_in_threadpool(work, content)
        finally:
            self._waiting -= 1

    def discovery(self, request: Request) -> Response:
        """``GET /$discovery/rest``."""
        return _respond(200, discovery_document(str(request.base_url).rstrip("/")))

    def metrics(self, _: Request) -> Response:
        """``GET /metrics``, in Prometheus's text format."""
        return Response(generate_latest(self._metrics.registry), media_type="text/plain; version=0.0.4")

    def health(self, _: Request) -> Response:
        """``GET /health``: the model is loaded."""
        return _respond(200, {"status": "ok"})


def create_app(analyzer: Analyzer, settings: Settings | None = None) -> Starlette:
    """The application; it opens nothing and keeps nothing by itself."""
    settings = settings or Settings()
    api = PerspectiveApi(analyzer, settings)
    routes = [
        Route("/v1alpha1/comments:analyze", api.analyze, methods=["POST"]),
        Route("/v1alpha1/comments:suggestscore", api.suggest, methods=["POST"]),
        Route("/$discovery/rest", api.discovery),
        Route("/metrics", api.metrics),
        Route("/health", api.health),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts], exception_handlers={HTTPException: _on_http_error})


def load_app(
    host: str,
    hosts: Sequence[str] = (),
    *,
    key: str | None = None,
    rate: float = 100.0,
    labels: Path | None = None,
    quantiles: Path | None = None,
    model_file: Path | None = None,
) -> Starlette:
    """Load the model and create the application, ready for its first request.

    Raises:
        ConfigurationError: an address other than loopback lacks a key or a host name; or a file is missing.
        InvalidInputError: the model or the quantile map is not valid.
    """
    if key is not None and len(key) < MIN_KEY_LENGTH:
        hint = "python -c 'import secrets; print(secrets.token_urlsafe())' prints one"
        raise ConfigurationError(
            f"must have at least {MIN_KEY_LENGTH} characters", field="SESAME_SOCIAL_KEY", hint=hint
        )
    if not _is_loopback(host):
        if key is None:
            hint = "set the environment variable SESAME_SOCIAL_KEY to a key that requests must carry"
            raise ConfigurationError("needs an API key", field=f"host {host}", hint=hint)
        if not hosts:
            hint = "add --host-name with the name by which sites reach this server"
            raise ConfigurationError(
                "needs the names by which it is reached", field=f"host {host}", hint=hint
            )
    model = load_model(model_file or SHIPPED_MODEL)
    classify(["warm up"], model)
    settings = Settings(
        hosts=(*LOOPBACK_HOSTS, *hosts), key=key, rate=rate, labels=LabelledPosts(labels) if labels else None
    )
    return create_app(Analyzer(model, load_quantile_map(quantiles) if quantiles else {}), settings)


def respond_error(error: ApiError) -> Response:
    """An error as a response."""
    response = _respond(error.code, error.body())
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _on_http_error(_: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 500
    status = {404: "NOT_FOUND", 405: "UNIMPLEMENTED"}.get(code, "INVALID_ARGUMENT")
    return respond_error(ApiError(code, str(getattr(error, "detail", "")), status))


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise ApiError(413, f"The request is longer than {MAX_BODY_BYTES} bytes.")
    except (TimeoutError, ClientDisconnect) as error:
        raise ApiError(408, "The request did not arrive in time.", "DEADLINE_EXCEEDED") from error
    return bytes(body)


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec's sentence names the member and what was expected, and never a value.
        raise ApiError(400, f"Invalid JSON payload received. {error}") from error


def _respond(code: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), code, media_type=_JSON)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
