"""Serves a hub with uvicorn, in this process or in several."""

import gc
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import uvicorn

from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability import metrics, structured_log
from sesame_sdk.hub.server import workers
from sesame_sdk.hub.server.app import create_app
from sesame_sdk.hub.server.graceful_shutdown import GracefulServer, exit_zero_on_sigterm
from sesame_sdk.hub.server.http_hardening import BoundedProtocol
from sesame_sdk.hub.server.workers import WorkerContext
from sesame_sdk.hub.settings import Settings, load_settings
from sesame_sdk.interfaces import GuardRule

_BACKLOG = 256
#: New objects before the collector of cycles runs. An envelope decodes into thousands, none in a cycle,
#: and with Python's own 700 it walked the whole cache of consents again and again: a twelfth of our time.
_COLLECT_AFTER = 100_000


def serve(
    path: Path,
    *,
    flags: Mapping[str, str] | None = None,
    on_ready: Callable[[str], None] | None = None,
    rules: Iterable[GuardRule] = (),
    block: Iterable[str] = (),
) -> None:
    """Serve the hub in a folder until the process gets SIGINT or SIGTERM.

    Args:
        path: the hub's folder.
        flags: settings from the command line, by name. What partners must use is the issuer among them,
            not the address that is listened on.
        on_ready: called with the URL once requests are served.
        rules: further rules for the guard.
        block: names of plugins that workers, if there are several, must not load rules from.

    Raises:
        ConfigurationError: a setting is wrong, the hub cannot be opened, or an address cannot be listened on.
    """
    settings = load_settings(path, flags=flags)
    if settings.workers > 1:
        structured_log.configure(level=settings.log_level, log_format=settings.log_format)
        workers.supervise(path, settings, flags=flags or {}, block=block, on_ready=on_ready)
    else:
        _serve(path, settings, rules, ready=on_ready or (lambda _: None))


def serve_as_worker(
    path: Path, *, flags: Mapping[str, str], rules: Iterable[GuardRule], context: WorkerContext
) -> None:
    """The same, as one of several: see `workers`."""
    context.stop_with_supervisor()
    settings = load_settings(path, flags=flags)
    _serve(path, settings, rules, ready=lambda _: context.report_ready(), shares_port=True)


def _serve(
    path: Path,
    settings: Settings,
    rules: Iterable[GuardRule],
    *,
    ready: Callable[[str], None],
    shares_port: bool = False,
) -> None:
    gc.set_threshold(_COLLECT_AFTER)
    exit_zero_on_sigterm()
    with (
        closing(Hub.open(path, rules=rules, settings=settings)) as hub,
        metrics.serve_metrics(settings.metrics_address),
    ):
        structured_log.configure(level=settings.log_level, log_format=settings.log_format)
        # Before the socket listens: early clients would have to wait.
        app = create_app(hub)
        with workers.listen(settings, share_port=shares_port) as listener:
            listener.listen(_BACKLOG)
            config = uvicorn.Config(
                app,
                access_log=False,  # `api.middleware` logs requests by their routes
                log_config=None,
                log_level=None,
                http=BoundedProtocol,
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
            )
            GracefulServer(
                config,
                on_ready=partial(ready, f"http://{settings.host}:{listener.getsockname()[1]}"),
                on_stop=hub.streams.closing.set,
                drain_timeout_seconds=settings.drain_timeout_seconds,
            ).run(sockets=[listener])


def main(argument: str) -> None:
    """Run a worker: the program that `workers` starts, with its context as JSON."""
    from sesame_sdk.plugins import PluginRegistry

    given = json.loads(argument)
    rules = PluginRegistry.discover(block=given["block"]).rules
    serve_as_worker(
        Path(given["path"]), flags=given["flags"], rules=rules, context=WorkerContext(*given["share"])
    )


if __name__ == "__main__":
    main(sys.argv[1])
