"""The page that shows the API: plain HTML that loads nothing, so that reading it tells nobody."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

STYLE = "body{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}code{font-size:1.05em}"
#: By which a content security policy lets this one style in (CSP level 3, section 8.3).
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"


class PlainPage(OpenAPIRenderPlugin):
    """Renders an OpenAPI document as headings, paragraphs and lists."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """The page."""
        about = openapi_schema["info"]
        title = escape(f"{about['title']} {about['version']}")
        parts = [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{STYLE}</style></head><body><h1>{title}</h1>",
            f"<p>{escape(about.get('description', ''))}</p>",
            '<p>As a document: <a href="/schema/openapi.json">openapi.json</a></p>',
            *_operations(openapi_schema["paths"]),
            "</body></html>",
        ]
        return "\n".join(parts).encode()


def _operations(paths: dict[str, dict[str, Any]]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            if "responses" in operation:
                yield f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
                yield f"<h3>{escape(operation.get('summary', ''))}</h3>"
                yield f"<p>{escape(operation.get('description', ''))}</p>"
                yield from _body(operation.get("requestBody"))
                yield from _responses(operation["responses"])


def _body(body: dict[str, Any] | None) -> Iterator[str]:
    if body:
        types = ", ".join(body["content"])
        yield f"<p>Body: <code>{escape(types)}</code>. {escape(body.get('description', ''))}</p>"


def _responses(responses: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield "<ul>"
    for status, response in responses.items():
        yield f"<li><code>{escape(status)}</code> {escape(response.get('description', ''))}</li>"
    yield "</ul>"
