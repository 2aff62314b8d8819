"""The API document as plain HTML that loads nothing from other servers."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

STYLE = """
:root{color-scheme:light dark;--line:#8886;--quiet:#8882}
body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
section{border:1px solid var(--line);border-radius:.6rem;padding:.9rem 1.2rem;margin:1.2rem 0}
h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}
h2 b{display:inline-block;min-width:3.2rem;margin-right:.6rem;padding:0 .5rem;border-radius:.3rem;
background:var(--quiet);text-align:center}
h3{font-size:1rem;margin:.5rem 0 0}
p{margin:.3rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.6rem 0 0}
dd{margin:0}
"""
#: Allows this style in the content security policy (CSP level 3, section 8.3).
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"


class PlainPage(OpenAPIRenderPlugin):
    """Renders an OpenAPI document with one card per operation, on small and wide screens."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Render the page."""
        info = openapi_schema["info"]
        title = escape(f"{info['title']} {info['version']}")
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width"><title>{title}</title>',
            f"<style>{STYLE}</style></head><body><h1>{title}</h1>",
            f"<p>{escape(info.get('description', ''))}</p>",
            '<p>As a document: <a href="/schema/openapi.json">openapi.json</a></p>',
            *_operations(openapi_schema["paths"]),
            "</body></html>",
        ]
        return "\n".join(parts).encode()


def _operations(paths: dict[str, dict[str, Any]]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            if "responses" in operation:
                yield f"<section><h2><b>{escape(method.upper())}</b><code>{escape(path)}</code></h2>"
                yield f"<h3>{escape(operation.get('summary', ''))}</h3>"
                yield f"<p>{escape(operation.get('description', ''))}</p>"
                yield from _body(operation.get("requestBody"))
                yield from _responses(operation["responses"])
                yield "</section>"


def _body(body: dict[str, Any] | None) -> Iterator[str]:
    if body:
        types = ", ".join(body["content"])
        yield f"<p>Body: <code>{escape(types)}</code>. {escape(body.get('description', ''))}</p>"


def _responses(responses: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield "<dl>"
    for status, response in responses.items():
        yield f"<dt><code>{escape(status)}</code></dt><dd>{escape(response.get('description', ''))}</dd>"
    yield "</dl>"
