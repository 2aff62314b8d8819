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
from sesame_baihe import Matchmaking, Paginator, RankingRequest

from sesame_sdk import PartnerConfig, StreamSubscriber

site, use = PartnerConfig.load(Path(os.environ["SESAME_CONFIG"])), Matchmaking.declaration
stream = StreamSubscriber.from_config(site, site.path / "scores.db", purpose=use.purpose, context=use.context)
pages, stop = Paginator(stream.store, page_size=2), Event()
PROFILES = {site.pseudonymizer.pseudonym(name): name for name in ("101", "102", "103")}  # your own, for show


@asynccontextmanager
async def _receive_updates(_: FastAPI) -> AsyncIterator[None]:
    Thread(target=stream.run, args=(stop,), kwargs={"push_to": f"{site.issuer}/sesame/inbox"}).start()
    yield
    stop.set()


app = FastAPI(lifespan=_receive_updates)
app.mount("/sesame", stream.inbox.app)


@app.get("/matches")
def matches(member: Annotated[str, Header()], cursor: str = "") -> dict[str, object]:
    """For this member alone (known by your login), with a relevance for each (from your search)."""
    ranking = RankingRequest(tuple(PROFILES), (0.75, 0.5, 0.125), viewer=member)
    return pages.show_page(ranking, cursor).as_data(PROFILES)
