"""A matchmaking site in FastAPI: the best matches for the member who looks, and why each is there.

The hub pushes, and ranking never waits for it. SESAME_CONFIG=baihe uvicorn examples.fastapi_site:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

from fastapi import FastAPI, Header
from sesame_baihe import Candidates, Matchmaking, Pages

from sesame_sdk import PartnerConfig, StreamSubscriber

home, told = PartnerConfig.load(Path(os.environ["SESAME_CONFIG"])), Matchmaking.declaration
follower = StreamSubscriber.from_config(
    home, home.path / "book.sqlite", purpose=told.purpose, context=told.context
)
pages, stop = Pages(follower.store, size=2), Event()
PROFILES = {home.identity.pseudonym(name): name for name in ("101", "102", "103")}  # your own, for show


@asynccontextmanager
async def _asking_to_be_pushed(_: FastAPI) -> AsyncIterator[None]:
    Thread(target=follower.run, args=(stop,), kwargs={"push_to": f"{home.issuer}/sesame/inbox"}).start()
    yield
    stop.set()


app = FastAPI(lifespan=_asking_to_be_pushed)
app.mount("/sesame", follower.inbox.app)


@app.get("/matches")
def matches(member: Annotated[str, Header()], cursor: str = "") -> dict[str, object]:
    """For this member alone (your login says who), with how well each fits (your search says that)."""
    asked = Candidates(tuple(PROFILES), (0.75, 0.5, 0.125), member=member)
    return pages.show(asked, cursor).as_data(PROFILES)
