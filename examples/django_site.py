"""A matchmaking site in Django: the best matches for the member who looks, and why each is there.

A thread polls the hub; ranking never waits for it. SESAME_CONFIG=baihe uvicorn examples.django_site:app
With several processes, start none here: run `sesame store follow`, and open a `ScoreStore` in each.
"""

import os
from pathlib import Path
from threading import Event, Thread

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from sesame_baihe import Matchmaking, Paginator, RankingRequest

from sesame_sdk import PartnerConfig, StreamSubscriber

site, use = PartnerConfig.load(Path(os.environ["SESAME_CONFIG"])), Matchmaking.declaration
stream = StreamSubscriber.from_config(site, site.path / "scores.db", purpose=use.purpose, context=use.context)
Thread(target=stream.run, args=(Event(),), daemon=True).start()
pages = Paginator(stream.store, page_size=2)
PROFILES = {site.pseudonymizer.pseudonym(name): name for name in ("101", "102", "103")}  # your own, for show


def matches(request: HttpRequest) -> JsonResponse:
    """For this member alone (known by your login), with a relevance for each (from your search)."""
    ranking = RankingRequest(tuple(PROFILES), (0.75, 0.5, 0.125), viewer=request.headers["Member"])
    page = pages.show_page(ranking, request.GET.get("cursor"))
    return JsonResponse(page.as_data(PROFILES))


settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"])
urlpatterns = [path("matches", matches)]
app = get_asgi_application()
