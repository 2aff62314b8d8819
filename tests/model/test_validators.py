"""The nouns refuse what is wrong, and say which field it is."""

import math
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import (
    ConfigurationError,
    Direction,
    Grant,
    InvalidInputError,
    Policy,
    Pseudonymizer,
    Score,
    Signal,
)
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.model.policy import Band
from sesame_sdk.model.score import Contribution
from tests.conftest import NOON
from tests.guard.builders import weighting

timestamps = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the bounds must be naive
    datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
GOOD = {
    "id": Pseudonymizer(b"x" * 32).signal_id("retail.order.completed", "1", NOON),
    "subject": "rt_abc",
    "kind": "retail.order.completed",
    "value": 1.0,
    "occurred_at": NOON,
}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        pytest.param("id", "", id="an empty id"),
        pytest.param("id", "not-a-uuid", id="an id that is no UUID"),
        pytest.param("id", GOOD["id"].upper(), id="an id that is not in its canonical form"),
        pytest.param("id", GOOD["id"][:14] + "4" + GOOD["id"][15:], id="an id that is a random UUID"),
        pytest.param("subject", "", id="an empty subject"),
        pytest.param("subject", "x" * 129, id="a subject that is too long"),
        pytest.param("subject", "ada lovelace", id="a subject with a space in it"),
        pytest.param("kind", "retail", id="a kind that is only a context"),
        pytest.param("kind", "Retail.Order", id="a kind with capitals"),
        pytest.param("kind", "retail." + "x" * 200, id="a kind that is too long"),
        pytest.param(
            "kind", ".".join(["x" * 32] * 4), id="a kind whose parts are short and which is too long"
        ),
        pytest.param("kind", None, id="a kind that is not text"),
        pytest.param("value", math.nan, id="a value that is not a number"),
        pytest.param("value", -math.inf, id="an infinite value"),
        pytest.param("value", True, id="a value that is a truth"),
        pytest.param("value", "1", id="a value that is text"),
        pytest.param("occurred_at", NOON.replace(tzinfo=None), id="a naive time"),
        pytest.param("occurred_at", NOON.astimezone(timezone(timedelta(hours=8))), id="a time not in UTC"),
        pytest.param("occurred_at", "2026-06-01", id="a time that is text"),
    ],
)
def test_a_signal_refuses(field: str, wrong: object) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInputError) as caught:
        Signal(**{**GOOD, field: wrong})
    assert caught.value.field == field


def test_an_error_does_not_repeat_the_value() -> None:
    """Error texts end up in logs, and a subject is personal."""
    with pytest.raises(InvalidInputError) as caught:
        Signal(**{**GOOD, "subject": "ada lovelace"})
    assert "lovelace" not in str(caught.value)


def test_a_signal_is_frozen() -> None:
    """What was checked stays as it was checked."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Signal(**GOOD).value = 2.0  # type: ignore[misc]


class TestPseudonymizer:
    """What a partner's own names become."""

    def test_the_same_order_has_the_same_id_every_time(self, pseudonymizer: Pseudonymizer) -> None:
        """Exporting twice counts once."""
        assert pseudonymizer.signal_id("a.b", "1", NOON) == pseudonymizer.signal_id("a.b", "1", NOON)

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_different_orders_have_different_ids(self, one: str, other: str) -> None:
        """Keys stay distinct where kind and key run into each other."""
        pseudonymizer = Pseudonymizer(b"y" * 32)
        made = pseudonymizer.signal_id("a.b", one, NOON)
        assert (made == pseudonymizer.signal_id("a.b", other, NOON)) == (one == other)
        assert made != pseudonymizer.signal_id("a.bb", one, NOON)

    @given(timestamps, st.text(min_size=1))
    def test_every_id_is_a_valid_uuid7(self, at: datetime, key: str) -> None:
        """Whatever the time and key, the signal that carries the id is accepted."""
        made = Pseudonymizer(b"y" * 32).signal_id("a.b", key, at)
        assert Signal(made, "s", "a.b", 1.0, at).id == made

    def test_ids_sort_by_time(self, pseudonymizer: Pseudonymizer) -> None:
        """So that inserts stay near the end of an index."""
        ids = [pseudonymizer.signal_id("a.b", "1", NOON + timedelta(milliseconds=step)) for step in range(50)]
        assert ids == sorted(ids)

    def test_two_partners_know_a_person_by_different_names(self, pseudonymizer: Pseudonymizer) -> None:
        """Pairwise pseudonyms: comparing notes does not help."""
        assert pseudonymizer.pseudonym("17850") != Pseudonymizer(b"z" * 32).pseudonym("17850")

    def test_a_pseudonym_never_looks_like_an_option(self, pseudonymizer: Pseudonymizer) -> None:
        """People type it on command lines."""
        assert all(pseudonymizer.pseudonym(str(number)).isalnum() for number in range(200))

    def test_a_short_secret_is_refused(self) -> None:
        """A guessable secret would let anyone test guesses."""
        with pytest.raises(ConfigurationError, match="secret"):
            Pseudonymizer(b"short")

    def test_the_secret_does_not_show_in_a_repr(self, pseudonymizer: Pseudonymizer) -> None:
        """A log line that prints the object must not give it away."""
        assert "thirty-two" not in repr(pseudonymizer)

    def test_a_time_before_1970_is_refused(self, pseudonymizer: Pseudonymizer) -> None:
        """UUIDv7 cannot hold it."""
        with pytest.raises(InvalidInputError, match="occurred_at"):
            pseudonymizer.signal_id("a.b", "1", datetime(1969, 12, 31, tzinfo=UTC))


class TestGrant:
    """A consent is valid from its time until it ends."""

    def _make(self, **changes: object) -> Grant:
        return Grant(
            **{  # type: ignore[arg-type]
                "partner": "https://shop.example",
                "subject": "s" * 26,
                "direction": Direction.SEND,
                "given_at": NOON,
                "kinds": ("a.b",),
                **changes,
            }
        )

    def test_it_stands_from_the_instant_it_is_given_and_not_before(self) -> None:
        """Nothing from before the consent is covered by it."""
        grant = self._make()
        assert grant.is_valid(NOON)
        assert not grant.is_valid(NOON - timedelta(microseconds=1))

    @pytest.mark.parametrize("end", ["expires_at", "withdrawn_at"])
    def test_it_ends_at_the_very_instant(self, end: str) -> None:
        """A withdrawal stops at once."""
        grant = self._make(**{end: NOON + timedelta(hours=1)})
        assert grant.is_valid(NOON + timedelta(minutes=59))
        assert not grant.is_valid(NOON + timedelta(hours=1))

    def test_sending_needs_kinds_and_reading_needs_a_purpose(self) -> None:
        """A consent to everything is no consent."""
        with pytest.raises(InvalidInputError, match="kinds"):
            self._make(kinds=())
        with pytest.raises(InvalidInputError, match="purpose"):
            self._make(direction=Direction.READ, kinds=())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("floor", 1.0), ("cap", -1.0), ("partner_cap", 0.0), ("half_life_days", 0.0), ("expires_days", -1.0)],
)
def test_a_weighting_refuses_bounds_on_the_wrong_side(field: str, wrong: float) -> None:
    """Each bound has a side of zero that makes sense."""
    with pytest.raises(InvalidInputError, match=field):
        weighting(**{field: wrong})


class TestPolicy:
    """A policy's range, bands and kinds hang together."""

    def _make(self, **changes: object) -> Policy:
        return Policy(
            **{  # type: ignore[arg-type]
                "name": "p",
                "version": 1,
                "context": "retail",
                "base": 500.0,
                "low": 300.0,
                "high": 900.0,
                "bands": (Band("fair", 300.0), Band("good", 600.0)),
                "weightings": (weighting(),),
                **changes,
            }
        )

    def test_a_band_begins_at_its_first_point(self) -> None:
        """600 is good, and anything below it is fair."""
        assert self._make().band(600.0) == "good"
        assert self._make().band(599.99) == "fair"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            pytest.param({"base": 1000.0}, "range", id="a base outside the range"),
            pytest.param({"bands": (Band("a", 301.0),)}, "bands", id="bands that leave a gap below"),
            pytest.param(
                {"bands": (Band("a", 300.0), Band("b", 300.0))}, "bands", id="two bands at one point"
            ),
            pytest.param({"weightings": (weighting(), weighting())}, "kinds", id="one kind twice"),
            pytest.param({"version": 0}, "version", id="a version below one"),
        ],
    )
    def test_it_refuses(self, changes: dict[str, object], field: str) -> None:
        """The error names what does not fit."""
        with pytest.raises(ValueError, match=field):
            self._make(**changes)


def test_a_score_whose_reasons_do_not_add_up_cannot_exist() -> None:
    """Every hundredth is accounted for."""
    parts = (Contribution("a.b", 125, "x"), Contribution("a.c", -25, "y"))
    assert Score(501.0, "fair", NOON.date(), "d", 500.0, parts).contributions == parts
    with pytest.raises(InvalidInputError, match="contributions"):
        Score(501.01, "fair", NOON.date(), "d", 500.0, parts)


def test_a_receipt_needs_a_time_in_utc() -> None:
    """When something was on disk must not be ambiguous."""
    with pytest.raises(InvalidInputError, match="received_at"):
        Receipt("j", datetime(2026, 1, 1), 1)  # noqa: DTZ001 - that is the point
