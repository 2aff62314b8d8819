"""Runs the application with uvicorn, on loopback unless it is told otherwise."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sesame_sdk import ConfigurationError
from sesame_social.classifier import classify, load_model
from sesame_social.classifier.model import SHIPPED_MODEL
from sesame_social.serve.app import Settings, create_app
from sesame_social.serve.labelled_posts import LabelledPosts
from sesame_social.serve.perspective import Analyzer
from sesame_social.serve.quantile_map import load_quantile_map

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MIN_KEY_LENGTH = 16
_MAX_CONNECTIONS = 256


def load_app(
    host: str,
    hosts: Sequence[str] = (),
    *,
    key: str | None = None,
    rate: float = 100.0,
    labels: Path | None = None,
    quantiles: Path | None = None,
    model_file: Path | None = None,
) -> ASGIApp:
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
            hint = "add --allowed-host with the name by which sites reach this server"
            raise ConfigurationError("needs the names of allowed hosts", field=f"host {host}", hint=hint)
    model = load_model(model_file or SHIPPED_MODEL)
    classify(["warm up"], model)
    settings = Settings(
        hosts=(*LOOPBACK_HOSTS, *hosts), key=key, rate=rate, labels=LabelledPosts(labels) if labels else None
    )
    return create_app(Analyzer(model, load_quantile_map(quantiles) if quantiles else {}), settings)


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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
