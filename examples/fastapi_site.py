"""A matchmaking site in FastAPI: the best matches for the member who looks, and why each is there.

SESAME_HOME=baihe uvicorn examples.fastapi_site:app
"""

import os
from pathlib import Path
from typing import Annotated

from attrs import asdict
from fastapi import FastAPI, Header
from sesame_baihe import Candidates, Matchmaking

from sesame_sdk import Client, Home

app = FastAPI()
home = Home.load(Path(os.environ["SESAME_HOME"]))
client, matchmaking = Client.at(home), Matchmaking()


def candidates_for(member: str) -> dict[str, float]:
    """Your own search: profiles, and how well each fits. These are for show."""
    return {"101": 0.75, "102": 0.5, "103": 0.125} if member else {}


@app.get("/matches")
def matches(member: Annotated[str, Header()]) -> dict[str, object]:  # your login says who looks
    """For this member alone: places with their reasons, the order without the score, the parameters."""
    found = {home.identity.pseudonym(name): (name, fit) for name, fit in candidates_for(member).items()}
    asked = Candidates(tuple(found), tuple(fit for _, fit in found.values()), member=member, top=20)
    told = matchmaking.declaration
    scores = client.scores(matchmaking.subjects(asked), purpose=told.purpose, context=told.context)
    ranked = matchmaking.use(asked, scores)
    return {
        "matches": [{"profile": found[one.profile][0], "why": one.words()} for one in ranked.places],
        "without_score": [found[one][0] for one in ranked.order_without_score],
        "parameters": {"words": ranked.parameters.words(), **asdict(ranked.parameters)},
    }
