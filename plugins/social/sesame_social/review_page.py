"""Serves the moderators' queue as a web page, on this machine alone.

Rules:
1. It listens on 127.0.0.1 and accepts no other host name, so that DNS rebinding cannot reach it.
2. A decision needs a token that only the page has. The page may load nothing, and no site may frame it.
3. Everything that other people wrote is escaped. Nothing is logged.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from sesame_sdk import SesameError
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost

_Clock = Callable[[], datetime]
_MAX_FORM_BYTES = 4096
_MAX_POSTS = 100
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "article{border:1px solid #8888;border-radius:.5rem;padding:1rem;margin:1rem 0}"
    "h2{font-size:1rem;margin:0;display:flex;gap:.75rem;align-items:baseline;flex-wrap:wrap}"
    "h2 small{font-weight:normal;opacity:.75}mark{border-radius:.25rem;padding:0 .5rem;color:#fff}"
    ".spam{background:#8a5a00}.abuse{background:#b3261e}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;max-height:20rem;overflow:auto}"
    "button{font:inherit;margin-right:.5rem;padding:.25rem .75rem}:root{color-scheme:light dark}"
)
_DECISIONS = {"confirm": "Confirm: it is {labels}", "dismiss": "Dismiss: it is not"}


class ReviewServer(HTTPServer):
    """Serves a queue to one moderator, whose name is kept with each decision. Port 0 takes a free one."""

    def __init__(
        self, queue: Path, moderator: str, *, port: int = 0, now: _Clock = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(("127.0.0.1", port), _RequestHandler)
        self.queue, self.moderator, self.now = queue, moderator, now
        self.token = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://127.0.0.1:{self.server_port}/"


class _RequestHandler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "sesame-social", ""
    timeout = 10

    def do_GET(self) -> None:
        """Show the open posts, the most probable first."""
        if self._has_own_host() and self.path == "/":
            with ModerationQueue(self.server.queue) as queue:
                queue.delete_expired(now=self.server.now())
                body = render_page(queue.list_posts(), self.server.token, self.server.moderator)
            self._respond(200, body)
        else:
            self._respond(404, "Not found.")

    def do_POST(self) -> None:
        """Record a decision, then show the page again."""
        form = self._form()
        if not self._has_own_host() or not hmac.compare_digest(
            form.get("token", "").encode(), self.server.token.encode()
        ):
            self._respond(403, "Invalid token: load the page again.")
        elif self.path != "/decide" or form.get("decision") not in _DECISIONS:
            self._respond(400, "Unknown decision.")
        else:
            self._decide(form.get("post", ""), confirmed=form["decision"] == "confirm")

    def _decide(self, post: str, *, confirmed: bool) -> None:
        try:
            with ModerationQueue(self.server.queue) as queue:
                queue.decide(
                    post, confirmed=confirmed, moderator=self.server.moderator, now=self.server.now()
                )
        except SesameError as error:
            self._respond(409, escape(str(error)))
        else:
            self.send_response(303)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _has_own_host(self) -> bool:
        return self.headers.get("Host") == f"127.0.0.1:{self.server.server_port}"

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_FORM_BYTES:
            return {}
        raw = self.rfile.read(int(length)).decode("utf-8", "replace")
        try:
            return {name: values[0] for name, values in parse_qs(raw, max_num_fields=10).items()}
        except ValueError:
            return {}

    def _respond(self, status: int, body: str) -> None:
        raw = body.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(raw))),
            ("Content-Security-Policy", _POLICY),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        """Log nothing: a path may name a post."""


def render_page(posts: list[SuspectedPost], token: str, moderator: str) -> str:
    """Render the page; everything that other people wrote is escaped."""
    shown = "".join(_render_post(post, token) for post in posts[:_MAX_POSTS])
    more = f" The {_MAX_POSTS} most probable are shown." if len(posts) > _MAX_POSTS else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>Suspected posts</title>'
        f"<style>{_STYLE}</style><h1>Suspected posts</h1>"
        f"<p>Open posts: {len(posts)}.{more} You decide as {escape(moderator)}. "
        f"Only confirmed abuse is sent, without its text. Decide about spam and abuse of people, "
        f"not about opinions.</p>{shown}</html>"
    )


def _render_post(post: SuspectedPost, token: str) -> str:
    labels = post.labels.split(",")
    marks = "".join(f'<mark class="{escape(label)}">{escape(label)}</mark>' for label in labels)
    buttons = "".join(
        f'<button name="decision" value="{value}">{escape(text.format(labels=" and ".join(labels)))}</button>'
        for value, text in _DECISIONS.items()
    )
    return (
        f"<article><h2>{marks} {escape(post.post)} <small>by {escape(post.author)}, "
        f"{min(post.probability, 0.99):.0%} likely</small></h2>"
        f'<pre dir="auto">{escape(post.text or "")}</pre><form method="post" action="/decide">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<input type="hidden" name="post" value="{escape(post.post)}">{buttons}</form></article>'
    )
