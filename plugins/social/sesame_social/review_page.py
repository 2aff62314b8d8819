"""The queue as a page for moderators, on this machine alone.

Rules:
1. It answers on 127.0.0.1 and to that name alone, so that no other site's name can be pointed at it.
2. A decision carries a token that only the page knows; the page may load nothing and be framed by nobody.
3. Everything that somebody wrote is escaped. Nothing is logged.
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

_LARGEST = 4096
_SHOWN = 100
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
_DECISIONS = {"confirm": "Confirm: it is {found}", "dismiss": "Dismiss: it is not"}


class ReviewServer(HTTPServer):
    """Serves the queue in a file to one moderator.

    Args:
        queue: the file.
        moderator: the moderator's name, kept with each decision.
        port: 0 takes one that is free.
        now: the clock.
    """

    def __init__(
        self,
        queue: Path,
        moderator: str,
        *,
        port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.queue, self.by, self.now = queue, moderator, now
        self.token = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Answers(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "sesame-social", ""
    timeout = 10

    def do_GET(self) -> None:
        """The open posts, the surest first."""
        if self._is_ours() and self.path == "/":
            with ModerationQueue(self.server.queue) as queue:
                queue.delete_expired(now=self.server.now())
                body = render_page(queue.list_posts(), self.server.token, self.server.by)
            self._answer(200, body)
        else:
            self._answer(404, "Not here.")

    def do_POST(self) -> None:
        """One decision; then the page again."""
        form = self._form()
        if not self._is_ours() or not hmac.compare_digest(
            form.get("token", "").encode(), self.server.token.encode()
        ):
            self._answer(403, "Not from this page. Load it again.")
        elif self.path != "/decide" or form.get("decision") not in _DECISIONS:
            self._answer(400, "No such decision.")
        else:
            self._decide(form.get("post", ""), confirmed=form["decision"] == "confirm")

    def _decide(self, post: str, *, confirmed: bool) -> None:
        try:
            with ModerationQueue(self.server.queue) as queue:
                queue.decide(post, confirmed=confirmed, moderator=self.server.by, now=self.server.now())
        except SesameError as error:
            self._answer(409, escape(str(error)))
        else:
            self.send_response(303)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _is_ours(self) -> bool:
        return self.headers.get("Host") == f"127.0.0.1:{self.server.server_port}"

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST:
            return {}
        raw = self.rfile.read(int(length)).decode("utf-8", "replace")
        try:
            return {name: values[0] for name, values in parse_qs(raw, max_num_fields=10).items()}
        except ValueError:
            return {}

    def _answer(self, status: int, body: str) -> None:
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
        """Nothing: a path may name a post."""


def render_page(items: list[SuspectedPost], token: str, by: str) -> str:
    """The page as HTML; all that others wrote is escaped."""
    shown = "".join(_article(item, token) for item in items[:_SHOWN])
    more = f" The {_SHOWN} surest are shown." if len(items) > _SHOWN else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>Suspected posts</title>'
        f"<style>{_STYLE}</style><h1>Suspected posts</h1>"
        f"<p>{len(items) or 'Nothing is'} open.{more} You decide as {escape(by)}. Only what you confirm is "
        f"ever sent; what a post thinks is no matter of ours.</p>{shown}</html>"
    )


def _article(item: SuspectedPost, token: str) -> str:
    found = item.labels.split(",")
    marks = "".join(f'<mark class="{escape(one)}">{escape(one)}</mark>' for one in found)
    buttons = "".join(
        f'<button name="decision" value="{value}">{escape(says.format(found=" and ".join(found)))}</button>'
        for value, says in _DECISIONS.items()
    )
    return (
        f"<article><h2>{marks} {escape(item.post)} <small>by {escape(item.author)}, "
        f"{min(item.probability, 0.99):.0%} likely</small></h2>"
        f'<pre dir="auto">{escape(item.text or "")}</pre><form method="post" action="/decide">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<input type="hidden" name="post" value="{escape(item.post)}">{buttons}</form></article>'
    )
