"""The hub as an ASGI application."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from sesame_sdk.hub.api import streams
from sesame_sdk.hub.api.admission import Admission, ConcurrencyLimit, MemoryBudget
from sesame_sdk.hub.api.errors import HANDLERS
from sesame_sdk.hub.api.events import receive_event
from sesame_sdk.hub.api.health import jwks, live, ready
from sesame_sdk.hub.api.middleware import instrument, route_as_deployed
from sesame_sdk.hub.api.notices import poll_notices
from sesame_sdk.hub.api.oauth import issue_token, oauth_metadata
from sesame_sdk.hub.api.openapi_page import PlainPage
from sesame_sdk.hub.api.scores import read_score, read_scores
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.key_sets import KeySetWorker
from sesame_sdk.hub.observability import log_events
from sesame_sdk.hub.observability.health import Health
from sesame_sdk.hub.server.http_hardening import reject_ambiguous_framing
from sesame_sdk.hub.streams.worker import StreamWorker

VERSION = "1.0"
#: Bodies of maximum size that may be in memory while they arrive.
MAX_BODIES = 32
_STREAM_HANDLERS = [
    streams.configuration,
    streams.create_stream,
    streams.read_stream,
    streams.change_stream,
    streams.replace_stream,
    streams.delete_stream,
    streams.read_status,
    streams.change_status,
    streams.verify_stream,
    streams.poll_stream,
]


def create_app(hub: Hub) -> ASGIApp:
    """The application over an open hub, which it closes when it shuts down."""
    worker = StreamWorker(hub.streams)
    key_sets = KeySetWorker(hub.key_sets)
    memory = MemoryBudget(MAX_BODIES * hub.settings.max_body_bytes)
    admission = Admission(memory, ConcurrencyLimit(hub.settings.max_queue), senders=hub.list_keys())
    health = Health(hub.is_ready, hub.streams.closing.is_set, worker.is_working)
    app = Litestar(
        route_handlers=[
            receive_event,
            read_score,
            read_scores,
            poll_notices,
            jwks,
            live,
            ready,
            issue_token,
            oauth_metadata,
            *_STREAM_HANDLERS,
        ],
        state=State(
            {
                "hub": hub,
                "admission": admission,
                "stream_worker": worker,
                "health": health,
            }
        ),
        exception_handlers=HANDLERS,
        on_startup=[worker.start, key_sets.start],
        on_shutdown=[worker.stop, key_sets.stop, admission.verifier.shutdown, health.close, hub.close],
        openapi_config=_openapi(),
        request_max_body_size=hub.settings.max_body_bytes,
        logging_config=None,
    )
    log_events.ROUTES.update(route.path_format for route in app.routes)
    instrumented = instrument(reject_ambiguous_framing(app), hub.streams.closing.is_set)
    return route_as_deployed(instrumented, hub.settings.issuer)


def _openapi() -> OpenAPIConfig:
    reader = SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="JWT",
        description="Signed with the reader's own key; valid for one request within five minutes.",
    )
    return OpenAPIConfig(
        title="Sesame hub",
        version=VERSION,
        description="Receives signed signals, and returns scores that people consented to.",
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=[PlainPage(), JsonRenderPlugin()],
        components=Components(security_schemes={"reader": reader}),
    )
