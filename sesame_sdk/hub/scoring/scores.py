"""Scores, computed in the hub's database on request."""

from collections.abc import Iterable
from datetime import date, datetime

from attrs import evolve
from sqlalchemy import Connection, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import grant_crossings, grants, pseudonyms
from sesame_sdk.hub.partners import proposals
from sesame_sdk.hub.scoring import eligible_signals, policies
from sesame_sdk.hub.scoring.eligible_signals import Contexts
from sesame_sdk.model.explanation import Estimate, Explanation, Hypothetical
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.explain import build_scores, estimate_score
from sesame_sdk.scoring.explain import explain_score as explain_signals


def compute_scores(
    connection: Connection, contexts: Contexts, policy: Policy, as_of: date, at: datetime, *, reasons: bool
) -> dict[int, Score]:
    """The score of each person who has one, with the contribution of each kind if `reasons`."""
    if not contexts:
        return {}
    eligible_signals.select_eligible(connection, contexts, at)
    product = dialect_of(connection)
    with product.prefer_indexes(connection):
        rows = product.score(connection, policy, as_of, reasons=reasons)
        return build_scores(rows, policy, as_of, reasons=reasons)


def explain(
    connection: Connection, person: str, context: str, as_of: date, at: datetime
) -> Explanation | None:
    """A person's own view of a score: every reason, what was corrected, and ways to raise it.

    Kinds of another context count if any valid grant to read this score includes that context. Steps are
    suggested only if a partner could send their signals.
    """
    policy = policies.current_policy(connection, context)
    if policy is None or not _count(connection, person, context, at):
        return None
    signals = eligible_signals.list_eligible(connection)
    explanation = explain_signals(signals, policy, as_of, eligible_signals.senders_by_kind(connection))
    if explanation is None:
        return None
    approvals = proposals.describe_approvals(connection, policy)
    return evolve(
        explanation,
        corrections=tuple(eligible_signals.list_corrected(connection)),
        policy_text=(*explanation.policy_text, *approvals),
    )


def what_if(
    connection: Connection,
    person: str,
    context: str,
    supposed: Iterable[Hypothetical],
    as_of: date,
    at: datetime,
) -> Estimate:
    """An estimate of the score that `explain` returns, with these signals added. Nothing is stored.

    For an unknown person it starts without signals.

    Raises:
        InvalidInputError: no policy for the context, or one of the signals; see `scoring.explain`.
    """
    policy = policies.current_policy(connection, context)
    if policy is None:
        hint = "use a context that has a policy"
        raise InvalidInputError(f"no policy for {context}", field="context", hint=hint)
    known = _count(connection, person, context, at)
    signals = eligible_signals.list_eligible(connection) if known else []
    return estimate_score(signals, supposed, policy, as_of)


def _count(connection: Connection, person: str, context: str, at: datetime) -> bool:
    """Fill `counted` for one person; False if the person is unknown."""
    number = subjects.find_person_id(connection, person)
    if number is None:
        return False
    reads = (pseudonyms.c.person == number, grants.c.direction == Direction.READ.value)
    crossings = (
        select(grant_crossings.c.context)
        .distinct()
        .join(grants, grants.c.id == grant_crossings.c.grant_id)
        .join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
        .where(*reads, grants.c.context == context, is_valid(at))
    )
    eligible_signals.select_eligible(connection, {number: {context, *connection.scalars(crossings)}}, at)
    return True
