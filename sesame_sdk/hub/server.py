"""Serving a hub with uvicorn, in this process."""

import gc
import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import uvicorn

from sesame_sdk.errors import Misconfigured
from sesame_sdk.hub.api.wire import ImpatientProtocol
from sesame_sdk.hub.app import create_app
from sesame_sdk.hub.hub import Hub
from sesame_sdk.interfaces import GuardRule

_BACKLOG = 256
#: Each may hold a body of `Settings.body_limit` while it arrives.
_CONNECTIONS = 256
#: New objects before the collector of cycles looks. An envelope decodes into thousands, none in a cycle,
#: and with Python's own 700 it walked the whole cache of consents again and again: a twelfth of our time.
_COLLECT_AFTER = 100_000


class _Server(uvicorn.Server):
    """Says when it is ready, and when it ends: before it waits for requests, of which some wait for news."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def serve(
    path: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    ready: Callable[[str], None] | None = None,
    rules: Iterable[GuardRule] = (),
) -> None:
    """Serve the hub in a folder until the process is told to stop (SIGINT or SIGTERM).

    Args:
        path: the hub's folder.
        host: address to listen on.
        port: 0 picks a free one. What partners must use is the issuer in the hub's settings.
        ready: told the URL once requests are answered.
        rules: further rules for the guard.

    Raises:
        Misconfigured: the hub cannot be opened, or the address cannot be listened on.
    """
    gc.set_threshold(_COLLECT_AFTER)
    with closing(Hub.open(path, rules=rules)) as hub:
        _log_to_stderr()
        # Made before anybody is listened to: whoever comes meanwhile would wait, and not know for what.
        app = create_app(hub)
        with _listen(host, port) as listener:
            url = f"http://{host}:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                app,
                access_log=False,  # it would write pseudonyms; `api.shell` logs routes instead
                log_level="warning",
                http=ImpatientProtocol,
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=10,
                limit_concurrency=_CONNECTIONS,
            )
            told = partial(ready, url) if ready else lambda: None
            _Server(config, told, hub.feed.closing.set).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named: asyncio turns Nagle's algorithm off for such sockets alone, and an
        # answer in two parts would wait 40 ms for the other side's delayed acknowledgement.
        with ExitStack() as until_it_listens:
            listener = until_it_listens.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            until_it_listens.pop_all()
    except OSError as error:
        raise Misconfigured(f"cannot listen there: {error.strerror}", field=f"{host}:{port}") from error
    return listener


def _log_to_stderr() -> None:
    """Show our own log where nobody has said yet where it should go."""
    log = logging.getLogger("sesame_sdk")
    if not log.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
