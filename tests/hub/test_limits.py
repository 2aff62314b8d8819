"""How much a hub takes at once, and that it says when it is well."""

from pathlib import Path

import pytest
import requests

from sesame_sdk import InvalidInputError
from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.manifest import MAX_DECLARATIONS
from tests.hub.fixtures import ORDER, Partner, kind, manifest, new_hub
from tests.hub.process import free_port, serving


def test_a_read_may_ask_for_as_many_as_the_limit_says(shop: Partner, hub: Hub) -> None:
    """10,000 subjects: the few with a score get theirs, and every other one gets null."""
    members = ["ada", "bob", "cleo"]
    hub.add_grants(pair for person in members for pair in shop.grants(person, ORDER, reads="retail"))
    shop.send(*(shop.signal(person, person) for person in members))
    strangers = [f"stranger-{number}" for number in range(MAX_SUBJECTS - len(members))]
    asked = [*strangers, *map(shop.pseudonym, members)]
    scores = hub.read_scores(shop.read_token(), asked)
    assert (MAX_SUBJECTS, list(scores)) == (10_000, asked)
    scores = {subject: score.points for subject, score in scores.items() if score}
    assert scores == {shop.pseudonym(person): 510.0 for person in members}
    assert [len(hub.list_score_reads(person)) for person in members] == [1, 1, 1]


def test_a_plugin_may_declare_as_many_kinds_as_the_limit_says(shop: Partner, hub: Hub) -> None:
    """100 are registered; one more is rejected by the hub, whatever made the manifest."""
    many = [kind(f"retail.thing.n{number}") for number in range(MAX_DECLARATIONS + 1)]
    shop.register(manifest(*many[:MAX_DECLARATIONS], name="sesame-many"))
    assert (MAX_DECLARATIONS, len(hub.list_partners()[0].kinds)) == (100, 102)
    claims = {
        "name": "sesame-more",
        "version": "1.0",
        "api": "1.0",
        "kinds": many,
        "consumers": [],
        "digest": "",
    }
    with pytest.raises(InvalidInputError, match=r"kinds.*100"):
        hub.receive(shop.token(EventType.REGISTRATION, claims))
    assert hub.list_partners()[0].plugins == ("sesame-many 1.0", "sesame-test 1.0")


def test_a_hub_that_can_work_is_healthy(tmp_path: Path, database: str) -> None:
    """`/healthz` is 200, for the service manager."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path / "hub", issuer=url, database=database)
    with serving(path, port):
        answer = requests.get(f"{url}/healthz", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
