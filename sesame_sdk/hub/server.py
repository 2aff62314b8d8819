"""Serving a hub with uvicorn, in this process."""

import gc
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import uvicorn

from sesame_sdk.errors import Misconfigured
from sesame_sdk.hub.app import create_app
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.hub.stopping import Server, end_in_peace
from sesame_sdk.hub.watch import logs, metrics
from sesame_sdk.interfaces import GuardRule

_BACKLOG = 256
#: Each may hold a body of `Settings.body_limit` while it arrives.
_CONNECTIONS = 256
#: New objects before the collector of cycles looks. An envelope decodes into thousands, none in a cycle,
#: and with Python's own 700 it walked the whole cache of consents again and again: a twelfth of our time.
_COLLECT_AFTER = 100_000


def serve(
    path: Path,
    *,
    flags: Mapping[str, str] | None = None,
    ready: Callable[[str], None] | None = None,
    rules: Iterable[GuardRule] = (),
) -> None:
    """Serve the hub in a folder until the process is told to stop (SIGINT or SIGTERM).

    Args:
        path: the hub's folder.
        flags: settings from the command line, by name. What partners must use is the issuer among them,
            not the address that is listened on.
        ready: told the URL once requests are answered.
        rules: further rules for the guard.

    Raises:
        Misconfigured: a setting is wrong, the hub cannot be opened, or an address cannot be listened on.
    """
    gc.set_threshold(_COLLECT_AFTER)
    end_in_peace()
    settings = load_settings(path, flags=flags)
    with closing(Hub.open(path, rules=rules, settings=settings)) as hub, metrics.shown(settings.metrics):
        logs.begin(level=settings.log_level, form=settings.log_format)
        # Made before anybody is listened to: whoever comes meanwhile would wait, and not know for what.
        app = create_app(hub)
        with _listen(settings.host, settings.port) as listener:
            config = uvicorn.Config(
                app,
                access_log=False,  # `watch.logs` would take all words out of it; `api.shell` logs routes
                log_config=None,
                log_level=None,
                server_header=False,
                timeout_graceful_shutdown=settings.stop_seconds,
                limit_concurrency=_CONNECTIONS,
            )
            url = f"http://{settings.host}:{listener.getsockname()[1]}"
            Server(
                config,
                ready=partial(ready, url) if ready else lambda: None,
                ending=hub.feed.closing.set,
                drain_seconds=settings.drain_seconds,
            ).run(sockets=[listener])


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
