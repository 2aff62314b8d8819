"""Who may read a score, what a reader learns, and what the person learns of it."""

from datetime import timedelta

import pytest
from attrs import evolve

from sesame_sdk import InvalidInputError
from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.guard import purposes
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.scoring.score_reads import ScoreRead
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.grant import ReadRequest
from sesame_sdk.signing.jwt import READ_TYP, SET_TYP, new_jti, sign_claims
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import BENEFITS, HUB, LATE, NOON, ORDER, POST, Clock, Partner, kind, policy, weighting


@pytest.fixture(autouse=True)
def _ada_and_bob(shop: Partner, hub: Hub) -> None:
    """Ada lets the shop send and read; bob lets it send alone; cleo lets it read and has no signals."""
    hub.add_grants([*shop.grants("ada", ORDER, reads="retail"), *shop.grants("bob", ORDER)])
    hub.add_grants(shop.grants("cleo", reads="retail"))
    shop.send(shop.signal("ada", "1"), shop.signal("bob", "2"))


def test_none_is_one_answer_for_all_who_have_none(shop: Partner) -> None:
    """No grant, no score and an unknown person give the same response."""
    ada, *others = shop.read("ada", "bob", "cleo", "stranger")
    assert ada is not None
    assert ada.points == 510.0
    assert others == [None, None, None]


def test_a_reader_sees_no_reasons(shop: Partner, hub: Hub) -> None:
    """Points and band are what it needs; why is the person's own."""
    (ada,) = shop.read("ada")
    assert ada is not None
    assert ada.contributions == ()
    assert hub.explain("ada", "retail").score.contributions  # type: ignore[union-attr] # there is one


def test_every_read_is_logged_for_the_person(shop: Partner, hub: Hub, clock: Clock) -> None:
    """Also one that was not answered; who is not a person here has no log."""
    shop.read("ada", "bob", "stranger")
    clock.advance(hours=1)
    shop.read("ada")
    first = ScoreRead(shop.issuer, BENEFITS, "retail", NOON, answered=True)
    assert hub.list_score_reads("ada") == [first, evolve(first, at=NOON + timedelta(hours=1))]
    assert hub.list_score_reads("bob") == [evolve(first, answered=False)]
    assert hub.list_score_reads("stranger") == []


def test_a_subject_asked_twice_is_answered_once(shop: Partner, hub: Hub) -> None:
    """And logged once."""
    assert [score.points for score in shop.read("ada", "ada") if score] == [510.0, 510.0]
    assert len(hub.list_score_reads("ada")) == 1


def test_another_partners_names_mean_nothing(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A reader that learned another's pseudonym learns nothing by it."""
    spy = Partner.join("https://spy.example", hub, clock, reads=["retail"])
    adas = shop.pseudonym("ada")
    assert hub.read_scores(spy.read_token(), [adas]) == {adas: None}


@pytest.mark.parametrize("count", [0, MAX_SUBJECTS + 1])
def test_too_many_or_none_are_refused(shop: Partner, hub: Hub, count: int) -> None:
    """10,000 is the most."""
    with pytest.raises(InvalidInputError, match="subjects: must be 1 to 10000"):
        hub.read_scores(shop.read_token(), [f"s{number}" for number in range(count)])


def test_a_token_is_good_once(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A used token is refused; it is remembered for as long as it would be valid."""
    token = shop.read_token()
    hub.read_scores(token, [shop.pseudonym("ada")])
    clock.advance(minutes=5, seconds=59)
    with pytest.raises(InvalidInputError, match="jti: was used before"):
        hub.read_scores(token, [shop.pseudonym("ada")])
    clock.advance(seconds=2)
    with pytest.raises(InvalidInputError, match="exp: has expired"):
        hub.read_scores(token, [shop.pseudonym("ada")])
    assert len(hub.list_score_reads("ada")) == 1


def _claims(shop: Partner, **other: object) -> dict[str, object]:
    now = int(NOON.timestamp())
    return {
        "iss": shop.issuer,
        "aud": HUB,
        "iat": now,
        "exp": now + 300,
        "jti": new_jti(),
        "purpose": BENEFITS,
        "context": "retail",
    } | other


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"aud": "https://other.example"}, "invalid_audience", id="meant for another hub"),
        pytest.param({"iss": "https://unknown.example"}, "invalid_issuer", id="from an unknown issuer"),
        pytest.param({"exp": int(NOON.timestamp()) + 301}, "authentication_failed", id="lives too long"),
        pytest.param({"exp": None}, "authentication_failed", id="lives for ever"),
        pytest.param({"exp": int(NOON.timestamp()) - 61}, "authentication_failed", id="has expired"),
        pytest.param({"purpose": ""}, "authentication_failed", id="without a purpose"),
        pytest.param({"purpose": purposes.CUSTOMER_CARE}, "access_denied", id="a purpose not registered"),
        pytest.param({"context": "community"}, "access_denied", id="a context not registered"),
    ],
)
def test_a_token_that_is_wrong_opens_nothing(
    shop: Partner, hub: Hub, claims: dict[str, object], code: str
) -> None:
    """No person's access log has the read."""
    token = sign_claims(_claims(shop, **claims), shop.key, typ=READ_TYP)
    with pytest.raises(InvalidInputError) as refused:
        hub.read_scores(token, [shop.pseudonym("ada")])
    assert refused.value.code == code
    assert hub.list_score_reads("ada") == []


def test_a_message_is_no_read_token(shop: Partner, hub: Hub) -> None:
    """A token of another type, or with another's key, does not pass for one."""
    for token in (
        sign_claims(_claims(shop), shop.key, typ=SET_TYP),
        sign_claims(_claims(shop), SigningKey.generate(), typ=READ_TYP),
    ):
        with pytest.raises(InvalidInputError):
            hub.read_scores(token, [shop.pseudonym("ada")])


def test_a_purpose_that_the_policy_does_not_serve_is_denied(shop: Partner, hub: Hub) -> None:
    """The operator says what a score may be read for, and that includes those who registered before."""
    care = evolve(policy(weighting(kind(ORDER))), purposes=(purposes.CUSTOMER_CARE,), digest="")
    hub.set_policy(care)
    with pytest.raises(InvalidInputError, match="not what this context's score is for") as refused:
        shop.read("ada")
    assert refused.value.code == "access_denied"


def test_a_context_without_a_policy_has_no_scores_to_read(hub: Hub, clock: Clock) -> None:
    """The reader gets an error, since it requests something that does not exist for any subject."""
    Partner.join("https://forum.example", hub, clock, kind(POST), reads=["community"])
    reader = Partner.join("https://reader.example", hub, clock, reads=["community"])
    with pytest.raises(InvalidInputError, match="context: has no policy here"):
        reader.read("ada", context="community")


class _NobodyAtNight(GuardRule):
    """Refuses every read before six."""

    id = "EXT-1"
    source = "a further rule"
    dated = NOON.date()

    def check_read(self, reading: ReadRequest):  # noqa: ANN202
        """Ask again in the morning."""
        if reading.at.hour < 6:
            yield self.refuse("read", "it is night", "ask in the morning")


def test_a_further_rule_can_refuse_reads(shop: Partner, hub: Hub, clock: Clock) -> None:
    """The guard is asked at every read, with the rules that the operator added."""
    with Hub.open(hub.settings.path, clock=clock, rules=[_NobodyAtNight()]) as strict:
        reader = evolve(shop, hub=strict)
        assert reader.read("ada") != [None]
        clock.advance(hours=13)
        assert reader.read("ada") == [None]
        assert not strict.list_score_reads("ada")[-1].answered


def test_a_withdrawn_grant_does_not_hide_a_valid_one(shop: Partner, hub: Hub, clock: Clock) -> None:
    """Of several grants for the same read, one that stands is enough."""
    hub.withdraw_grants("ada", shop.issuer)
    clock.advance(minutes=1)
    hub.add_grants(shop.grants("ada", ORDER, LATE, reads="retail", given_at=NOON - timedelta(days=90)))
    assert [score.points for score in shop.read("ada") if score] == [510.0]
