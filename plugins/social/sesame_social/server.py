"""Runs an ASGI application with uvicorn."""

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from sesame_sdk import ConfigurationError

_MAX_CONNECTIONS = 256


def run(app: ASGIApp, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the address once it accepts connections.

    Raises:
        ConfigurationError: the address is in use or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ConfigurationError("cannot listen on this address", field=f"{host}:{port}") from error
        listener.listen(128)
        name = f"[{host}]" if family == socket.AF_INET6 else host
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            h11_max_incomplete_event_size=16_384,
            timeout_graceful_shutdown=5,
        )
        ready(f"http://{name}:{listener.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listener])
