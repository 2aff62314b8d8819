"""Serves the moderators' queue as a web page, on this machine alone.

Rules:
1. It accepts its own loopback addresses as host names only, so that DNS rebinding cannot reach it.
2. Nothing is shown without a session; see `sessions`. A decision needs the session's token, from a page of
   this origin, and is recorded under the session's moderator.
3. Everything that other people wrote is escaped. The page loads its own style and nothing else, and no site
   may frame it. Nothing is logged.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sesame_sdk import SesameError
from sesame_social.classifier import Model
from sesame_social.classifier.predict import ATTRIBUTES
from sesame_social.labelled_posts import MODERATOR, LabelledPost, LabelledPosts
from sesame_social.moderation_queue import ModerationQueue
from sesame_social.review.explanations import Explainer
from sesame_social.review.sessions import Session, Sessions

MAX_FORM_BYTES = 4096
FORM_SECONDS = 10.0
PAGE_SIZE = 20
#: A new link is printed at most so often, so that no other user can fill the terminal.
NEW_LINK_INTERVAL = timedelta(seconds=10)
COOKIE = "sesame_review"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    # With no-referrer browsers send the origin "null" with forms, which cannot be checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_SIGN_IN = "Open the link that “sesame social queue serve” printed on its terminal. It works once."
_templates = Environment(
    loader=PackageLoader("sesame_social.review"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
)


@frozen(eq=False)
class ReviewPage:
    """The handlers of the page.

    Attributes:
        queue: file of the moderators' queue.
        moderators: names for which links are made.
        explainer: says why a post is suspected.
        announce: prints a link's path for a moderator on the terminal.
        labels: keeps corrected posts, if the site asks for it.
        now: returns the time, in UTC.
    """

    queue: Path
    moderators: Sequence[str]
    explainer: Explainer
    announce: Callable[[str, str], None]
    labels: LabelledPosts | None
    now: Callable[[], datetime]
    sessions: Sessions
    _announced: list[datetime]

    def announce_links(self) -> None:
        """Print a new link for each moderator who has none unused."""
        self._announced[:] = [self.now()]
        for moderator in self.moderators:
            self.announce(moderator, f"/sign-in?token={self.sessions.create_link(moderator)}")

    async def show(self, request: Request) -> Response:
        """The open posts, the most probable first."""
        session = self._session(request)
        if session is None:
            return _message(401, "Sign in", _SIGN_IN, new_link=True)
        return await run_in_threadpool(self._render, session)

    async def sign_in(self, request: Request) -> Response:
        """Use a link: a cookie, and the page without the token in its address."""
        secret = self.sessions.sign_in(request.query_params.get("token", ""))
        if secret is None:
            text = "This link was used before, or a newer one was printed."
            return _message(403, "Link not valid", text, new_link=True)
        response = _secure(RedirectResponse("/", 303))
        response.set_cookie(COOKIE, secret, httponly=True, samesite="strict", path="/")
        return response

    async def new_link(self, request: Request) -> Response:
        """Print new links on the terminal."""
        if not _is_same_origin(request):
            return _message(403, "Not accepted", "The request came from another site.")
        if self.now() - self._announced[0] < NEW_LINK_INTERVAL:
            return _message(429, "Too soon", "Links were printed a moment ago.", new_link=True)
        self.announce_links()
        return _message(200, "Printed", "Open your new link from the terminal.", new_link=True)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        session, _ = await self._submitted(request)
        if session is None:
            return _not_accepted()
        self.sessions.sign_out(request.cookies.get(COOKIE, ""))
        response = _message(200, "Signed out", _SIGN_IN, new_link=True)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def decide(self, request: Request) -> Response:
        """Record a decision, then show the posts again."""
        session, form = await self._submitted(request)
        if session is None:
            return _not_accepted()
        decision, ticked = form.get("decision", [""])[0], form.get("attribute", [])
        if decision not in ("confirm", "dismiss") or not {name.value for name in ATTRIBUTES}.issuperset(
            ticked
        ):
            return _message(400, "Not recorded", "The decision is unknown.")
        if decision == "confirm" and not ticked:
            return _message(400, "Not recorded", "Tick what the post is, or dismiss it.")
        post = form.get("post", [""])[0]
        try:
            await run_in_threadpool(self._record, session, post, ticked if decision == "confirm" else [])
        except SesameError as error:
            return _message(409, "Not recorded", str(error))
        return _secure(RedirectResponse("/", 303))

    def style(self, _: Request) -> Response:
        """The page's style sheet."""
        return _secure(Response(_templates.get_template("style.css").render(), media_type="text/css"))

    def _render(self, session: Session) -> Response:
        with ModerationQueue(self.queue) as queue:
            queue.delete_expired(now=self.now())
            posts, agreement = queue.list_posts(), queue.count_decisions()
        shown = posts[:PAGE_SIZE]
        explanations = self.explainer.explain([post.text or "" for post in shown])
        return _page(
            200,
            "posts.html",
            session=session,
            posts=list(zip(shown, explanations, strict=True)),
            total=len(posts),
            agreement=agreement,
            keeps_labels=self.labels is not None,
        )

    def _record(self, session: Session, name: str, ticked: Sequence[str]) -> None:
        with ModerationQueue(self.queue) as queue:
            text = queue.get_post(name).text
            queue.decide(name, confirmed=bool(ticked), moderator=session.moderator, now=self.now())
        if self.labels is not None and text is not None:
            scores = {attribute.value: float(attribute.value in ticked) for attribute in ATTRIBUTES}
            self.labels.append(LabelledPost(text, scores, MODERATOR))

    def _session(self, request: Request) -> Session | None:
        return self.sessions.find(request.cookies.get(COOKIE, ""))

    async def _submitted(self, request: Request) -> tuple[Session | None, dict[str, list[str]]]:
        """The session and the form of a request that a page of this session sent; otherwise no session."""
        session, form = self._session(request), await _read_form(request)
        given = form.get("csrf", [""])[0]
        if session is None or not _is_same_origin(request):
            return None, form
        return (session if hmac.compare_digest(given.encode(), session.csrf.encode()) else None), form


def create_review_app(
    queue: Path,
    moderators: Sequence[str],
    model: Model,
    announce: Callable[[str, str], None],
    *,
    labels: LabelledPosts | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Starlette, ReviewPage]:
    """The ASGI application and its page. `ReviewPage.announce_links` prints the first links."""
    page = ReviewPage(queue, moderators, Explainer(model), announce, labels, now, Sessions(now), [now()])
    routes = [
        Route("/", page.show),
        Route("/sign-in", page.sign_in),
        Route("/new-link", page.new_link, methods=["POST"]),
        Route("/sign-out", page.sign_out, methods=["POST"]),
        Route("/decide", page.decide, methods=["POST"]),
        Route("/style.css", page.style),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts]), page


def _is_same_origin(request: Request) -> bool:
    """Whether a browser says that a page of this origin sent the request; one that says nothing is not."""
    origin = request.headers.get("origin", "")
    return hmac.compare_digest(origin.encode(), str(request.base_url).rstrip("/").encode())


async def _read_form(request: Request) -> dict[str, list[str]]:
    """The fields of a form; none if it is too long, too slow or malformed."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MAX_FORM_BYTES:
                    return {}
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except (TimeoutError, ValueError):
        return {}


def _not_accepted() -> Response:
    return _message(
        403, "Not accepted", "Your session ended, or the form is not from this page.", new_link=True
    )


def _message(status: int, title: str, text: str, *, new_link: bool = False) -> Response:
    return _page(status, "message.html", title=title, text=text, new_link=new_link)


def _page(status: int, template: str, **values: Any) -> Response:  # noqa: ANN401 - values of a template
    html = _templates.get_template(template).render(**values)
    return _secure(Response(html.encode("utf-8", "replace"), status, media_type="text/html; charset=utf-8"))


def _secure(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response
