"""Observations that the catalogue lacks: proposed to a hub, and approved by two people for this hub alone.

Rules:
    * the guard checks a proposed entry when it is proposed, and every kind and policy that uses it again:
      what it refuses, such as a source system outside the closed list, cannot be approved
    * an entry counts once two people approved it under different names
    * an approval is of the entry as it was proposed, by its digest
    * approvals are never deleted: scores and explanations refer to them
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.catalogue.observations import Observation
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard, proposal_digest
from sesame_sdk.hub.database.tables import proposal_approvals, proposals
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind

#: People that must approve an entry.
APPROVERS: Final = 2
MAX_NAME = 100


@frozen
class Approval:
    """One person's approval of an entry."""

    name: str
    at: datetime


@frozen
class Proposal:
    """A proposed entry, with the people that approved it so far.

    Attributes:
        observation: its id.
        digest: of id and entry: see `guard.proposal_digest`.
    """

    observation: str
    entry: Observation
    digest: str
    proposed_by: str
    proposed_at: datetime
    approvals: tuple[Approval, ...] = ()

    @property
    def is_approved(self) -> bool:
        """Whether it counts at this hub."""
        return len(self.approvals) >= APPROVERS


def propose(connection: Connection, name: str, entry: Observation, by: str, at: datetime) -> Proposal:
    """Record a proposed entry.

    Raises:
        GuardRefusedError: no approval could let it pass.
        InvalidInputError: it was proposed already, or `by` is no name.
    """
    digest = proposal_digest(name, entry)
    Guard((), [digest]).admit_kind(SignalKind("proposed.entry", name, proposal=entry))
    if any(proposal.observation == name for proposal in list_proposals(connection)):
        hint = "approve it, or propose the changed entry under another id"
        raise InvalidInputError(f"{name} was proposed already", field="observation", hint=hint)
    row = {"name": name, "digest": digest, "entry": codec.encode(entry).decode()}
    connection.execute(
        insert(proposals), row | {"proposed_by": _check_name(by), "proposed_at": to_micros(at)}
    )
    return _find(connection, name)


def approve(connection: Connection, name: str, by: str, at: datetime) -> Proposal:
    """Record one person's approval of a proposed entry.

    Raises:
        InvalidInputError: there is no such proposal, or this person approved it already.
    """
    proposal, approver = _find(connection, name), _check_name(by)
    if approver.casefold() in {one.name.casefold() for one in proposal.approvals}:
        hint = "another person must approve it"
        raise InvalidInputError("approved this entry already", field="by", hint=hint)
    number = select(proposals.c.id).where(proposals.c.name == name).scalar_subquery()
    row = {"proposal": number, "name": approver, "approved_at": to_micros(at)}
    connection.execute(insert(proposal_approvals).values(row))
    return _find(connection, name)


def list_proposals(connection: Connection) -> list[Proposal]:
    """Every proposed entry, in the order of the proposals."""
    approvals: dict[int, list[Approval]] = defaultdict(list)
    for row in connection.execute(select(proposal_approvals).order_by(proposal_approvals.c.approved_at)):
        approvals[row.proposal].append(Approval(row.name, from_micros(row.approved_at)))
    return [
        Proposal(
            row.name,
            codec.decode(row.entry, Observation),
            row.digest,
            row.proposed_by,
            from_micros(row.proposed_at),
            tuple(approvals[row.id]),
        )
        for row in connection.execute(select(proposals).order_by(proposals.c.id))
    ]


def approved_digests(connection: Connection) -> frozenset[str]:
    """The digests of the entries that count at this hub."""
    return frozenset(one.digest for one in list_proposals(connection) if one.is_approved)


def describe_approvals(connection: Connection, policy: Policy) -> tuple[str, ...]:
    """A sentence for each entry of a policy that this hub approved for itself."""
    named = {w.kind.observation for w in policy.weightings if w.kind.proposal}
    return (
        tuple(describe_approval(one) for one in list_proposals(connection) if one.observation in named)
        if named
        else ()
    )


def describe_approval(proposal: Proposal) -> str:
    """For the people whom it touches: what was approved, and by whom."""
    people = " and ".join(f"{one.name} on {one.at:%Y-%m-%d}" for one in proposal.approvals)
    return f"'{proposal.entry.en}' is not in the catalogue: this hub approved it for itself, by {people}."


def approval_texts(connection: Connection) -> Mapping[str, str]:
    """The sentence of each approved entry, by the id of its observation."""
    return {one.observation: describe_approval(one) for one in list_proposals(connection) if one.is_approved}


def _find(connection: Connection, name: str) -> Proposal:
    found = next((one for one in list_proposals(connection) if one.observation == name), None)
    if found is None:
        hint = "see: sesame observations proposals"
        raise InvalidInputError(f"no entry {name} was proposed", field="observation", hint=hint)
    return found


def _check_name(name: str) -> str:
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    if not text or len(text) > MAX_NAME or not text.isprintable():
        hint = f"give the person's name, of at most {MAX_NAME} characters"
        raise InvalidInputError("must be a name", field="by", hint=hint)
    return text
