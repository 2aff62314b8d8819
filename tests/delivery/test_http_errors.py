"""What a hub's refusal becomes: findings as objects, whatever else a hub may write."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.delivery.http_errors import HttpResponse, raise_for_status
from sesame_sdk.errors import (
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RetryableError,
    SesameError,
)
from sesame_sdk.model.codec import encode
from sesame_sdk.model.finding import Action, Finding, problem

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FINDING = Finding(
    "POL-1",
    Action.REFUSE,
    "kind social.protest",
    "punishes opinions",
    "leave it out",
    "GL 168",
    date(2026, 11, 1),
)
LONGEST = Finding(
    "POL-1", Action.WARN, "\u85e5" * 200, "\u85e5" * 400, "\u85e5" * 400, "\u85e5" * 200, date(2026, 11, 1)
)

#: What a model holds: some text, and no NUL.
_CHARACTERS = st.characters(exclude_characters="\0", codec="utf-8")
texts = st.text(_CHARACTERS, min_size=1, max_size=200).filter(str.strip)
findings = st.builds(
    Finding,
    st.from_regex(r"[A-Z]{2,8}-[0-9]{1,3}", fullmatch=True),
    st.sampled_from(Action),
    texts,
    texts,
    texts,
    texts,
    st.dates(),
)


def raised(body: bytes, status: int = 400) -> SesameError:
    """What an answer raises."""
    with pytest.raises(SesameError) as error:
        raise_for_status(HttpResponse(status, {}, body), NOW)
    return error.value


@given(st.lists(findings, max_size=5))
def test_findings_arrive_as_they_were_sent(sent: list[Finding]) -> None:
    """Equal to the hub's own, to the last character."""
    refused = raised(encode(problem(GuardRefusedError("no", sent))), 403)
    assert isinstance(refused, GuardRefusedError)
    assert refused.findings == tuple(sent)
    assert str(refused).isprintable()


def test_a_hundred_findings_of_the_greatest_length_arrive() -> None:
    """As many as a guard lists; more are cut off, however many are sent."""
    whole = raised(encode(problem(GuardRefusedError("no", [LONGEST] * 100))))
    more = raised(encode(problem(GuardRefusedError("no", [FINDING] * 1_000))))
    for refused, finding in ((whole, LONGEST), (more, FINDING)):
        assert isinstance(refused, GuardRefusedError)
        assert refused.findings == (finding,) * 100
        assert len(str(refused)) < 10_000


def test_a_finding_that_we_cannot_read_hides_no_other() -> None:
    """A newer hub may know further actions; what is no finding at all is left out too."""
    strange = [{"rule": "POL-1", "action": "frown"}, 7, None, [], FINDING]
    refused = raised(encode({"err": "access_denied", "findings": strange}))
    assert isinstance(refused, GuardRefusedError)
    assert refused.findings == (FINDING,)


def test_a_refusal_without_findings_is_one_all_the_same() -> None:
    """By its type, or else it is a rejection with its code."""
    assert isinstance(raised(encode(problem(GuardRefusedError("no", ())))), GuardRefusedError)
    rejected = raised(encode({"err": "access_denied", "description": "no"}))
    assert type(rejected) is InvalidInputError
    assert rejected.code == "access_denied"


def test_a_problem_of_somebody_else_is_not_the_hubs_word() -> None:
    """A proxy may speak RFC 9457 as well."""
    assert isinstance(
        raised(b'{"type": "about:blank", "title": "Forbidden", "status": 403}', 403), ConfigurationError
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"err": "x", "findings": ' + b"[" * 100_000, id="nested without end"),
        pytest.param(b'{"err": "x", "findings": [' + b"[" * 500 + b"]" * 500 + b"]}", id="deep"),
        pytest.param(b'{"err": "x", "findings": [' + b"1," * 4_000_000 + b"1]}", id="eight megabytes"),
        pytest.param(b'{"err": "x", "findings": "all of them"}', id="text for a list"),
        pytest.param(b'{"err": "\\ud800"}', id="half a character"),
        pytest.param(b'{"err": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"type": ["urn:sesame-sdk:refused"]}', id="a list for a type"),
    ],
)
def test_a_hostile_answer_is_a_plain_error(body: bytes) -> None:
    """No crash, and no more work than its size is worth; what is no error of a hub is not final."""
    assert isinstance(raised(body), InvalidInputError | RetryableError)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(encode))
def test_no_answer_breaks_us(body: bytes) -> None:
    """One of our own errors, on one printable line."""
    assert str(raised(body)).isprintable()
