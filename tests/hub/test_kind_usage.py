"""What partners send is compared with what each observation is."""

from datetime import UTC, datetime, timedelta

import pytest

from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners.kind_usage import MIN_SIGNALS, KindUsage, usage_findings
from sesame_sdk.model.finding import Action
from tests.hub.fixtures import Clock, Partner, kind, policy, weighting

KEPT, SPENT, PAID = "retail.order.completed", "retail.order.spend", "retail.payment.on-time"
KINDS = (kind(KEPT, "order_kept"), kind(SPENT, "order_spend", currency="GBP"), kind(PAID, "payment_on_time"))
START = datetime(2025, 1, 1, tzinfo=UTC)


def join(hub: Hub, clock: Clock, name: str, people: int = 10) -> Partner:
    """A shop that sends of so many people."""
    partner = Partner.join(f"https://{name}.example", hub, clock, *KINDS)
    hub.add_grants(grant for n in range(people) for grant in partner.grants(f"p{n}", KEPT, SPENT, PAID))
    return partner


def send(
    partner: Partner, name: str, each: int, *, value: float = 1.0, people: int = 10, days: float = 7.0
) -> None:
    """Send so many signals of each person, some days apart."""
    partner.send(
        *(
            partner.signal(f"p{n}", f"{name}{n} {at}", name, value, at=START + timedelta(days=at * days))
            for n in range(people)
            for at in range(each)
        )
    )


def usage_of(hub: Hub, partner: Partner, name: str) -> KindUsage:
    """The use of one kind."""
    (usage,) = [one for one in hub.list_kind_usage() if (one.partner, one.kind) == (partner.issuer, name)]
    return usage


def test_a_usual_shop_has_no_remarks(hub: Hub, clock: Clock) -> None:
    """Numbers of signals and people, the busiest month, the mean, and the share of people."""
    shop = join(hub, clock, "usual")
    send(shop, KEPT, 6)
    send(shop, SPENT, 6, value=25.0)
    send(shop, PAID, 6, people=5)
    kept, spent = usage_of(hub, shop, KEPT), usage_of(hub, shop, SPENT)
    assert (kept.signals, kept.people, kept.share, kept.mean, kept.remarks) == (60, 10, 1.0, 1.0, ())
    assert (spent.mean, spent.remarks, spent.observation) == (25.0, (), "order_spend")
    assert 3 <= kept.busiest <= 6
    assert usage_of(hub, shop, PAID).share == 0.5


@pytest.mark.parametrize(
    ("sent", "remark"),
    [
        pytest.param(
            {"name": KEPT, "each": 40, "days": 0.2}, "40 events of one person in a month", id="too many"
        ),
        pytest.param(
            {"name": SPENT, "each": 6, "value": 90_000.0}, "a mean value of 90,000 GBP", id="too much"
        ),
    ],
)
def test_a_rate_or_a_value_that_is_not_usual_is_remarked(
    hub: Hub, clock: Clock, sent: dict[str, object], remark: str
) -> None:
    """With what the observation lets expect."""
    shop = join(hub, clock, "busy")
    send(shop, **sent)  # type: ignore[arg-type]
    (text,) = usage_of(hub, shop, str(sent["name"])).remarks
    assert text.startswith(remark)
    assert "usual" in text


def test_a_kind_that_is_held_back_shows_beside_its_sibling(hub: Hub, clock: Clock) -> None:
    """Orders that were kept, for some goods alone: each has a total, and not each is counted."""
    shop = join(hub, clock, "partial")
    send(shop, SPENT, 12, value=25.0)
    send(shop, KEPT, 6)
    assert usage_of(hub, shop, KEPT).remarks == (
        "only 50% of the events of order_spend, which reads the same records",
    )
    assert usage_of(hub, shop, SPENT).remarks == ()


def test_a_partner_is_compared_with_the_others(hub: Hub, clock: Clock) -> None:
    """By events a person, from three others on: a lower rate is all that a selection shows in."""
    for name in ("one", "two", "three"):
        send(join(hub, clock, name), KEPT, 24)
    selective = join(hub, clock, "selective")
    send(selective, KEPT, 5)
    (remark,) = usage_of(hub, selective, KEPT).remarks
    assert remark == "0.21 times as many events a person as at the median of the other partners"


def test_a_few_signals_say_nothing(hub: Hub, clock: Clock) -> None:
    """Below the least number nothing is compared."""
    shop = join(hub, clock, "small", people=1)
    send(shop, KEPT, MIN_SIGNALS - 1, people=1, days=0.1)
    assert usage_of(hub, shop, KEPT).remarks == ()


def test_an_audit_is_told_of_the_kinds_that_a_policy_weighs(hub: Hub, clock: Clock) -> None:
    """A warning for each remark, about kind and partner; other kinds are left out."""
    shop = join(hub, clock, "busy")
    send(shop, KEPT, 40, days=0.2)
    (finding,) = usage_findings(hub.list_kind_usage(), policy(weighting(KINDS[0])))
    assert (finding.rule, finding.action) == ("USE-1", Action.WARN)
    assert finding.about == f"kind {KEPT} of {shop.issuer}"
    assert usage_findings(hub.list_kind_usage(), policy(weighting(KINDS[1]))) == ()


def test_whether_there_are_many_signals_is_known_without_counting_all(hub: Hub, clock: Clock) -> None:
    """Exactly at the bound."""
    send(join(hub, clock, "some"), KEPT, 1)
    assert hub.has_more_signals(9)
    assert not hub.has_more_signals(10)
