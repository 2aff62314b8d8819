"""Reading scores and joining a hub."""

import json
from datetime import date

import pytest

from sesame_sdk import GuardRefusedError, InvalidInputError, Manifest, Pseudonymizer, RetryableError, Score
from sesame_sdk.model.codec import encode
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.partner.client import Client
from tests.partner.faults import answer, lose_answer, receipt_with, status, verdict
from tests.partner.peer import JSON, Peer

SCORE = Score(points=612.5, band="good", as_of=date(2026, 6, 1), policy="p" * 43, base=600.0)
FINDING = Finding(
    "POL-1",
    Action.REFUSE,
    "kind social.protest",
    "punishes opinions",
    "leave it out",
    "GL 168",
    date(2026, 11, 1),
)
MANIFEST = Manifest("sesame-retail", "1.0", "1.0")
ASK = {"purpose": "https://w3id.org/dpv#PersonalisedBenefits", "context": "retail"}


def test_every_subject_gets_an_answer(client: Client, peer: Peer) -> None:
    """A score or None, for each subject once, in the order asked."""
    peer.scores = {"b": SCORE}

    assert client.scores(["c", "b", "a", "b"], **ASK) == {"c": None, "b": SCORE, "a": None}
    assert list(client.scores(["c", "b", "a"], **ASK)) == ["c", "b", "a"]


def test_many_subjects_are_asked_in_pieces(client: Client, peer: Peer, pseudonymizer: Pseudonymizer) -> None:
    """25,000 subjects make three requests of at most 10,000, each with a token of its own."""
    subjects = [pseudonymizer.pseudonym(str(number)) for number in range(25_000)]
    peer.scores = dict.fromkeys(subjects[::2], SCORE)

    scores = client.scores(subjects, **ASK)

    assert len(scores) == 25_000
    assert sum(score is not None for score in scores.values()) == 12_500
    assert len(peer.requests) == 3
    assert len({headers["authorization"] for _, headers, _ in peer.requests}) == 3


def test_no_subjects_need_no_request(client: Client, peer: Peer) -> None:
    """No subjects, no request."""
    assert client.scores([], **ASK) == {}
    assert peer.requests == []


def test_no_subject_is_ever_in_a_url(client: Client, peer: Peer) -> None:
    """URLs end up in logs: one subject travels in a body like many."""
    client.scores(["somebody"], **ASK)

    assert [path for path, _, _ in peer.requests] == ["/v1/scores/read"]


def test_a_retry_signs_a_new_token(client: Client, peer: Peer) -> None:
    """The hub took the first token, and its answer was lost: the same token would be a replay."""
    peer.faults.append(lose_answer)

    assert client.scores(["a"], **ASK) == {"a": None}


BAD_SCORES = {
    "a subject left out": {"scores": {"a": None}},
    "a subject too many": {"scores": {"a": None, "b": None, "c": None}},
    "points that are text": {"scores": {"a": None, "b": {**json.loads(encode(SCORE)), "points": "612"}}},
    "points missing": {"scores": {"a": None, "b": {"band": "good"}}},
    "reasons that do not add up": {
        "scores": {
            "a": None,
            "b": {
                **json.loads(encode(SCORE)),
                "contributions": [{"kind": "", "hundredths": 1, "reason": "x"}],
            },
        }
    },
    "no scores": {},
    "a list": [],
}


@pytest.mark.parametrize("body", BAD_SCORES.values(), ids=BAD_SCORES.keys())
def test_an_answer_that_is_not_what_was_asked_is_rejected(client: Client, peer: Peer, body: object) -> None:
    """Half an answer is not taken for a whole one."""
    peer.faults.append(answer(encode(body), JSON))

    with pytest.raises(InvalidInputError) as rejected:
        client.scores(["a", "b"], **ASK)
    assert rejected.value.code == "invalid_response"


def test_an_error_has_the_hubs_reason(client: Client, peer: Peer) -> None:
    """The code and the words of RFC 8935 section 2.4 come through."""
    peer.faults.append(verdict(400, "access_denied", "not registered for this purpose"))

    with pytest.raises(InvalidInputError, match="not registered for this purpose") as rejected:
        client.scores(["a"], **ASK)
    assert rejected.value.code == "access_denied"


@pytest.mark.parametrize("code", [401, 403])
def test_a_reader_who_is_turned_away_hears_why(client: Client, peer: Peer, code: int) -> None:
    """With a reason of RFC 8935 it is the hub's own word, not something in the way to it."""
    peer.faults.append(verdict(code, "invalid_key", "was revoked"))

    with pytest.raises(InvalidInputError, match="was revoked"):
        client.scores(["a"], **ASK)


def test_a_hub_that_stays_away_is_retryable(client: Client, peer: Peer) -> None:
    """After the last attempt the caller hears why, and when to come back."""
    peer.faults.extend([status(503, Retry_After="2")] * 3)

    with pytest.raises(RetryableError, match="503") as away:
        client.scores(["a"], **ASK)
    assert away.value.retry_after == 2


def test_joining_gives_back_a_verified_receipt(client: Client) -> None:
    """The manifest travels signed, and the hub signs for it."""
    assert client.register(MANIFEST).accepted == 0


def test_a_wrong_receipt_for_joining_is_rejected(client: Client, peer: Peer) -> None:
    """A receipt about something else proves nothing."""
    peer.faults.append(receipt_with(jti="another"))

    with pytest.raises(InvalidInputError, match="jti"):
        client.register(MANIFEST)


def test_a_refused_registration_has_rules_and_reasons(client: Client, peer: Peer) -> None:
    """The guard's findings come back as objects, and are in the text of the error."""
    peer.faults.append(verdict(400, "access_denied", "the guard refused it", findings=[FINDING]))

    with pytest.raises(
        GuardRefusedError, match=r"POL-1 kind social.protest: punishes opinions \[GL 168\]"
    ) as refused:
        client.register(MANIFEST)
    assert refused.value.findings == (FINDING,)
