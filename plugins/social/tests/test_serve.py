"""The server in the form of the Perspective API, in a process of its own, and a client of Perspective."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from googleapiclient import discovery, errors
from sesame_social.classifier import Model
from sesame_social.labelled_posts import LabelledPost, read_labelled_posts
from sesame_social.serve.app import RateLimit, load_app
from sesame_social.serve.perspective import Analyzer, AnalyzeRequest, AttributeParameters, TextEntry
from sesame_social.serve.quantile_map import fit_quantile_map, load_quantile_map

from sesame_sdk import ConfigurationError, InvalidInputError

KEY = "a-key-of-the-sites-own"
INSULT = "You are a stupid bitch and everybody hates you."


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[str]:
    """A server on a free port; its address. What it prints must not contain a text that it was sent."""
    command = [Path(sys.executable).parent / "sesame", "social", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    assert process.stderr is not None
    try:
        address = process.stderr.readline().split()[0]
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=30)[1]
    assert "stupid" not in rest


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server without a key that keeps nothing."""
    with serving() as address:
        yield address


def analyze(address: str, text: str, *attributes: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of one request."""
    wanted = {name: {} for name in attributes or ["TOXICITY"]}
    body = {"comment": {"text": text}, "requestedAttributes": wanted, **members}
    response = requests.post(f"{address}/v1alpha1/comments:analyze", json=body, timeout=30)
    return response.status_code, response.json()


def test_the_client_that_google_documents_works_unchanged(address: str) -> None:
    """Only the address of the discovery document differs."""
    url = f"{address}/$discovery/rest?version=v1alpha1"
    settings = {"developerKey": "unused", "discoveryServiceUrl": url, "static_discovery": False}
    with discovery.build("commentanalyzer", "v1alpha1", **settings) as client:
        _use(client)


def _use(client: discovery.Resource) -> None:
    body = {"comment": {"text": INSULT}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
    answer = client.comments().analyze(body=body).execute()
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.5
    suggestion = {
        "comment": {"text": INSULT},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
    }
    assert client.comments().suggestscore(body={**suggestion, "clientToken": "t"}).execute() == {
        "clientToken": "t"
    }
    with pytest.raises(errors.HttpError) as caught:
        client.comments().analyze(body={**body, "requestedAttributes": {"FLIRTATION": {}}}).execute()
    assert caught.value.status_code == 400
    assert "Unknown requested attribute: FLIRTATION" in caught.value.reason


def test_a_response_has_the_members_that_perspective_documents(address: str) -> None:
    """Scores, one span over the whole text, languages, and the caller's token."""
    status, body = analyze(
        address, INSULT, "TOXICITY", "SPAM", clientToken="c-1", doNotStore=True, sessionId="s"
    )
    assert (status, body["languages"], body["detectedLanguages"], body["clientToken"]) == (
        200,
        ["en"],
        ["en"],
        "c-1",
    )
    toxicity, spam = body["attributeScores"]["TOXICITY"], body["attributeScores"]["SPAM"]
    assert toxicity["summaryScore"]["value"] > spam["summaryScore"]["value"]
    span = {"begin": 0, "end": len(INSULT), "score": toxicity["summaryScore"]}
    assert toxicity["spanScores"] == [span]
    assert toxicity["summaryScore"]["type"] == "PROBABILITY"


def test_scores_below_their_threshold_are_left_out(address: str) -> None:
    """With none left the member is missing, as with Perspective."""
    parameters = {"TOXICITY": {"scoreThreshold": 0.5}, "SPAM": {"scoreThreshold": 1.0}}
    _, body = analyze(address, INSULT, requestedAttributes=parameters)
    assert list(body["attributeScores"]) == ["TOXICITY"]
    _, body = analyze(address, "Thank you, that helped.", requestedAttributes=parameters)
    assert body == {"languages": ["en"], "detectedLanguages": ["en"]}


def test_spans_are_sentences_and_count_utf_16_units(address: str) -> None:
    """A client in JavaScript or Java slices its own string with them."""
    text = "😀 Thank you for this. You are a stupid bitch! 好的。"
    _, body = analyze(address, text, spanAnnotations=True, languages=["en"])
    spans = body["attributeScores"]["TOXICITY"]["spanScores"]
    units = text.encode("utf-16-le")
    parts = [units[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") for span in spans]
    assert parts == ["😀 Thank you for this.", " You are a stupid bitch!", " 好的。"]
    scores = [span["score"]["value"] for span in spans]
    assert scores[1] == max(scores)
    assert scores[1] > 0.5 > scores[0]


def test_chinese_is_analyzed(address: str) -> None:
    """The second language of the model."""
    status, body = analyze(address, "谢谢你的帮助, 说明很清楚。", languages=["zh"])
    assert (status, body["detectedLanguages"]) == (200, ["zh"])


@pytest.mark.parametrize(
    ("text", "members"),
    [
        pytest.param("Je pense que vous avez raison et que c'est une bonne idée pour nous.", {}, id="french"),
        pytest.param("これはとても良い考えだと思います。", {}, id="japanese"),
        pytest.param(
            "Bonjour, vous êtes là et c'est très bien pour nous.", {"languages": ["en"]}, id="stated wrongly"
        ),
        pytest.param("Thank you.", {"languages": ["fr"]}, id="another language is stated"),
    ],
)
def test_another_language_is_an_error_that_clients_know(
    address: str, text: str, members: dict[str, Any]
) -> None:
    """Its type and attribute are what clients look at to leave the comment to a person."""
    status, body = analyze(address, text, **members)
    error = body["error"]
    assert (status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["message"].startswith("Attribute TOXICITY does not support request languages: ")
    (detail,) = error["details"]
    assert detail["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    assert detail["languageNotSupportedByAttributeError"]["attribute"] == "TOXICITY"


def test_a_short_comment_is_not_taken_for_another_language(address: str) -> None:
    """Perspective took "yo hamburger" for Turkish."""
    for text in ("yo hamburger", "lol", "ok", "👍", "12345"):
        assert analyze(address, text)[0] == 200, text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"requestedAttributes": {"TOXICITY": {}}}, "Comment must be non-empty", id="no comment"),
        pytest.param({"comment": {"text": " \n"}}, "Comment must be non-empty", id="a blank comment"),
        pytest.param({"comment": {"text": "x" * 20_481}}, "Comment text too long", id="a long comment"),
        pytest.param({"comment": {"text": "好" * 7_000}}, "Comment text too long", id="long in bytes"),
        pytest.param({"comment": {"text": "a", "type": "HTML"}}, "Currently, only 'PLAIN_TEXT'", id="html"),
        pytest.param({"requestedAttributes": {}}, "Missing requested_attributes", id="no attribute"),
        pytest.param(
            {"requestedAttributes": {"THREATS": {}}}, "Unknown requested attribute: THREATS", id="unknown"
        ),
        pytest.param(
            {"requestedAttributes": {"TOXICITY": {"scoreType": "STD"}}}, "score type STD", id="score type"
        ),
        pytest.param(
            {"requestedAttributes": ["TOXICITY"]}, "Invalid JSON payload", id="a list of attributes"
        ),
        pytest.param({"comment": "text"}, "Invalid JSON payload", id="a text in place of an object"),
        pytest.param({"languages": "en"}, "Invalid JSON payload", id="a text in place of a list"),
        pytest.param(
            {"requestedAttributes": {"TOXICITY": {"scoreThreshold": 2}}}, "Invalid JSON", id="threshold"
        ),
    ],
)
def test_a_wrong_request_gets_googles_form_of_error(address: str, body: dict[str, Any], message: str) -> None:
    """And the message says what to change, without the text."""
    whole = {"comment": {"text": INSULT}, "requestedAttributes": {"TOXICITY": {}}} | body
    if "requestedAttributes" in body and len(body) == 1 and "no comment" in message:
        del whole["comment"]
    if message.startswith("Comment must") and "comment" not in body:
        del whole["comment"]
    response = requests.post(f"{address}/v1alpha1/comments:analyze", json=whole, timeout=30)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert message in error["message"]
    assert "stupid" not in response.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        pytest.param(b"{", {}, 400, id="half a body"),
        pytest.param(b"[" * 100_000, {}, 400, id="a deep body"),
        pytest.param(b'{"comment": {"text": "\xff"}}', {}, 400, id="not UTF-8"),
        pytest.param(b" " * 300_000, {}, 413, id="a large body"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, 415, id="what a form of another site can send"),
        pytest.param(b"{}", {"Host": "rebound.example"}, 400, id="another host name"),
    ],
)
def test_hostile_requests_are_rejected(
    address: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    """None is an internal error."""
    url = f"{address}/v1alpha1/comments:analyze"
    given = {"Content-Type": "application/json"} | headers
    assert requests.post(url, data=content, headers=given, timeout=30).status_code == status


def test_half_a_surrogate_pair_is_no_fault(address: str) -> None:
    """JSON allows it, and comments contain it."""
    body = b'{"comment": {"text": "hello \\ud83d there"}, "requestedAttributes": {"TOXICITY": {}}}'
    headers = {"Content-Type": "application/json"}
    response = requests.post(f"{address}/v1alpha1/comments:analyze", data=body, headers=headers, timeout=30)
    assert response.status_code in (200, 400)


def test_metrics_count_requests_and_show_no_text(address: str) -> None:
    """In Prometheus's format, at /metrics."""
    analyze(address, INSULT)
    analyze(address, "")
    text = requests.get(f"{address}/metrics", timeout=30).text
    assert re.search(r'sesame_social_requests_total\{code="200",method="analyze"\} [1-9]', text)
    assert re.search(r'sesame_social_requests_total\{code="400",method="analyze"\} [1-9]', text)
    assert "stupid" not in text


def test_a_key_is_required_where_the_site_set_one() -> None:
    """In the query, as Perspective has it, or in Google's header."""
    body = {"comment": {"text": "hello"}, "requestedAttributes": {"TOXICITY": {}}}
    with serving(SESAME_SOCIAL_KEY=KEY) as address:
        url = f"{address}/v1alpha1/comments:analyze"
        assert requests.post(url, json=body, timeout=30).status_code == 403
        assert (
            requests.post(f"{url}?key=wrong", json=body, timeout=30).json()["error"]["status"]
            == "PERMISSION_DENIED"
        )
        assert requests.post(f"{url}?key={KEY}", json=body, timeout=30).status_code == 200
        assert requests.post(url, json=body, headers={"X-Goog-Api-Key": KEY}, timeout=30).status_code == 200


def test_requests_beyond_the_rate_are_told_when_to_come_again() -> None:
    """429 with Retry-After, as quotas of Google have it."""
    with serving("--rate", "0.5") as address:
        first, second = (
            requests.post(
                f"{address}/v1alpha1/comments:analyze",
                json={"comment": {"text": "hello"}, "requestedAttributes": {"TOXICITY": {}}},
                timeout=30,
            )
            for _ in range(2)
        )
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["Retry-After"]) in (1, 2, 3)
    assert second.json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_suggested_scores_are_kept_where_the_site_asks_for_it(tmp_path: Path) -> None:
    """With their text, in a file of the owner's alone."""
    path = tmp_path / "labels.jsonl"
    with serving("--labels", str(path)) as address:
        url = f"{address}/v1alpha1/comments:suggestscore"
        good = {
            "comment": {"text": "fine"},
            "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0.0}}},
        }
        assert requests.post(url, json=good, timeout=30).status_code == 200
        bad = {**good, "attributeScores": {"TASTE": {"summaryScore": {"value": 0.0}}}}
        assert requests.post(url, json=bad, timeout=30).status_code == 400
        assert requests.post(url, json={**good, "attributeScores": {}}, timeout=30).status_code == 400
    assert list(read_labelled_posts(path)) == [LabelledPost("fine", {"TOXICITY": 0.0}, "suggestion")]
    assert path.stat().st_mode & 0o077 == 0


def test_a_label_file_with_a_wrong_line_names_it(tmp_path: Path) -> None:
    """The line's number, and what was expected."""
    path = tmp_path / "labels.jsonl"
    path.write_text('{"text": "a", "scores": {}, "source": "s"}\n\n{"text": "a", "scores": {"T": 2}}\n')
    with pytest.raises(InvalidInputError, match="line 3"):
        list(read_labelled_posts(path))


@pytest.mark.parametrize(
    ("host", "hosts", "key", "field"),
    [
        pytest.param("192.0.2.1", (), None, "host 192.0.2.1", id="no key"),
        pytest.param("192.0.2.1", (), KEY, "host 192.0.2.1", id="no host name"),
        pytest.param("127.0.0.1", (), "short", "SESAME_SOCIAL_KEY", id="a key that can be guessed"),
    ],
)
def test_other_addresses_than_loopback_need_a_key_and_a_name(
    host: str, hosts: tuple[str, ...], key: str | None, field: str
) -> None:
    """Refused before anything listens."""
    with pytest.raises(ConfigurationError) as caught:
        load_app(host, hosts, key=key)
    assert caught.value.field == field


def test_a_long_comment_is_read_to_its_end(model: Model) -> None:
    """The classifier alone reads the first 10,000 characters of a text."""
    harmless = "Thank you for the help. " * 450
    assert len(harmless) > 10_000
    wanted = {"TOXICITY": AttributeParameters()}
    scores = [
        Analyzer(model).analyze(AnalyzeRequest(TextEntry(text), wanted))["attributeScores"]["TOXICITY"]
        for text in (harmless, harmless + INSULT * 20)
    ]
    assert scores[1]["summaryScore"]["value"] > 0.5 > scores[0]["summaryScore"]["value"]


def test_a_quantile_map_gives_scores_of_the_other_distribution(model: Model, tmp_path: Path) -> None:
    """The order of comments stays, and the share above a threshold becomes the recorded one."""
    random = np.random.default_rng(1)
    letters = ["".join(random.choice(list("abdeimnorst"), size=40)) for _ in range(400)]
    texts = [f"{'you stupid bitch ' * (at % 3)} {text[:12]} {text[12:25]}" for at, text in enumerate(letters)]
    recorded = np.sort(random.beta(2, 5, size=400))
    posts = [
        LabelledPost(text, {"TOXICITY": float(score), "FLIRTATION": 0.5}, "perspective")
        for text, score in zip(texts, recorded, strict=True)
    ]
    fitted = fit_quantile_map(posts, model)
    assert list(fitted) == ["TOXICITY"]
    path = tmp_path / "quantiles.json"
    path.write_text(json.dumps(fitted))
    analyzer = Analyzer(model, load_quantile_map(path))
    wanted = {"TOXICITY": AttributeParameters()}

    def scores_of(analyzer: Analyzer) -> list[float]:
        answers = [analyzer.analyze(AnalyzeRequest(TextEntry(text), wanted)) for text in texts]
        return [answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] for answer in answers]

    mapped, plain = scores_of(analyzer), scores_of(Analyzer(model))
    by_plain = [mapped[at] for at in np.argsort(plain, kind="stable")]
    assert by_plain == sorted(by_plain)
    for share in (0.25, 0.5, 0.75):
        assert np.quantile(mapped, share) == pytest.approx(np.quantile(recorded, share), abs=0.05)


def test_too_few_recorded_scores_are_refused(model: Model) -> None:
    """Quantiles of a handful say nothing."""
    with pytest.raises(InvalidInputError, match="of at least 200"):
        fit_quantile_map([LabelledPost("hello", {"TOXICITY": 0.1}, "perspective")], model)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"TOXICITY": [[0, 1], [0, 2]]}',
        '{"TOXICITY": [[0, 1], [1, 0]]}',
        '{"T": [[0, 0.5, 1], [0, 1]]}',
    ],
)
def test_a_damaged_quantile_map_is_refused(content: str, tmp_path: Path) -> None:
    """One error that names the file."""
    path = tmp_path / "map.json"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=r"map\.json"):
        load_quantile_map(path)


def test_the_rate_limit_admits_a_burst_of_one_second_and_then_its_rate() -> None:
    """GCRA, on a clock that the test moves."""
    time = [100.0]
    limit = RateLimit(10.0, lambda: time[0])
    assert [limit.admit() for _ in range(10)] == [0.0] * 10
    assert 0 < limit.admit() <= 0.1
    time[0] += 0.1001
    assert limit.admit() == 0.0
    assert limit.admit() > 0
