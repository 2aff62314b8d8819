"""Policies: a current one for each context. Older ones stay, since scores refer to their digests."""

import hmac
from datetime import datetime

from attrs import evolve
from sqlalchemy import Connection, bindparam, func, insert, select

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.guard.guard import Guard, needs_review
from sesame_sdk.hub.database.tables import policies
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners import proposals, registrations
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action
from sesame_sdk.model.policy import Policy


def set_policy(
    connection: Connection, policy: Policy, guard: Guard, at: datetime, reviewed_by: str = ""
) -> bool:
    """Make a policy the current one of its context. Returns whether it is another one than before.

    `reviewed_by` is the person that reviewed its names, where the guard asks for that.

    Raises:
        GuardRefusedError: by the guard.
        InvalidInputError: its digest is not that of its rules, or no person reviewed its names.
    """
    guard = guard.with_approved(proposals.approved_digests(connection))
    findings = guard.admit_policy(policy, registrations.list_registered_kinds(connection))
    if needs_review(findings) and not reviewed_by.strip():
        question = next(finding for finding in findings if finding.action is Action.REVIEW)
        hint = "have a person review it, and record the name: --reviewed-by NAME"
        raise InvalidInputError(f"needs a review: {question}"[:400], field="reviewed_by", hint=hint)
    digest = codec.policy_digest(policy)
    if policy.digest and not hmac.compare_digest(policy.digest.encode(), digest.encode()):
        raise InvalidInputError("is not that of the policy", field="digest", hint="load the policy again")
    current = current_policy(connection, policy.context)
    if current is not None and current.digest == digest:
        return False
    body = codec.encode(evolve(policy, digest=digest)).decode()
    row = {"context": policy.context, "digest": digest, "set_at": to_micros(at), "body": body}
    row["reviewed_by"] = reviewed_by.strip()[:100] or None
    connection.execute(insert(policies), row)
    return True


def current_policy(connection: Connection, context: str) -> Policy | None:
    """The current policy of a context; a `ConfigurationError` if it was changed in the database."""
    body = connection.scalar(_LATEST, {"which": context})
    return None if body is None else _read(body)


_OF_CONTEXT = select(policies.c.body).where(policies.c.context == bindparam("which"))
_LATEST = _OF_CONTEXT.order_by(policies.c.id.desc()).limit(1)


def current_policies(connection: Connection) -> tuple[Policy, ...]:
    """The policy of every context."""
    latest = select(func.max(policies.c.id)).group_by(policies.c.context)
    bodies = select(policies.c.body).where(policies.c.id.in_(latest)).order_by(policies.c.context)
    return tuple(_read(body) for body in connection.scalars(bodies))


def _read(body: str) -> Policy:
    policy = codec.decode(body, Policy)
    if not hmac.compare_digest(policy.digest.encode(), codec.policy_digest(policy).encode()):
        hint = "load the policy again"
        raise ConfigurationError("was changed in the database", field=policy.name, hint=hint)
    return policy
