"""A matchmaking site in Django: the best matches for the member who looks, and why each is there.

SESAME_HOME=baihe uvicorn examples.django_site:app
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from sesame_baihe import Candidates, Matchmaking

from sesame_sdk import Client, Home

home = Home.load(Path(os.environ["SESAME_HOME"]))
client, matchmaking = Client.at(home), Matchmaking()
FOR_SHOW = {"101": 0.75, "102": 0.5, "103": 0.125}  # your own search: profiles, and how well each fits


def matches(request: HttpRequest) -> JsonResponse:
    """For this member alone: places with their reasons, the order without the score, the parameters."""
    found = {home.identity.pseudonym(name): (name, fit) for name, fit in FOR_SHOW.items()}
    member = request.headers["Member"]  # your login says who looks
    asked = Candidates(tuple(found), tuple(fit for _, fit in found.values()), member=member, top=20)
    told = matchmaking.declaration
    scores = client.scores(matchmaking.subjects(asked), purpose=told.purpose, context=told.context)
    ranked = matchmaking.use(asked, scores)
    places = [{"profile": found[one.profile][0], "why": one.words()} for one in ranked.places]
    without = [found[one][0] for one in ranked.order_without_score]
    parameters = {"words": ranked.parameters.words(), "score_weight": ranked.parameters.score_weight}
    return JsonResponse({"matches": places, "without_score": without, "parameters": parameters})


settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"])
urlpatterns = [path("matches", matches)]
app = get_asgi_application()
