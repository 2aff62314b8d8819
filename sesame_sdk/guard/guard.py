"""The guard's checks: of kinds, policies, consumers, reads and grants. Further rules only add findings.

The built-in rules run in every guard, and none can be removed. A further rule that raises anything but the
operator's Ctrl-C, or that returns anything but findings, refuses under its own name: a broken rule must not
let pass what it was added to refuse.

Findings are sorted by the order of the built-in rules and then by their text, so that the order of entries in
what is checked never matters.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, Literal, Self, TypeVar, final, get_args

from attrs import evolve, field, frozen

from sesame_sdk.catalogue.observations import Observation
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard import labels
from sesame_sdk.guard.rules import kinds, outcomes, purposes, sensitive_data, terms
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import Grant, ReadRequest
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind

DECLARATIONS: Final = kinds.Declarations()
MINIMUM_AGE: Final = terms.MinimumAge()

#: In the order of findings.
BUILT_IN: Final[tuple[GuardRule, ...]] = (
    *(DECLARATIONS, kinds.Contexts(), outcomes.Proportionality()),
    *(sensitive_data.Politics(), sensitive_data.SpecialCategories(), sensitive_data.Taste()),
    *(sensitive_data.OtherPeople(), kinds.Inferences()),
    *(sensitive_data.Biometrics(), sensitive_data.Locations(), sensitive_data.Rights()),
    *(terms.Visibility(), terms.Enrolment(), terms.NoScore()),
    *(purposes.StatedPurposes(), purposes.Work(), purposes.PublicServices(), purposes.Essentials()),
    *(purposes.Credit(), purposes.Resale(), outcomes.HumanDecisions(), purposes.Consent(), MINIMUM_AGE),
    *(kinds.Retention(), kinds.SpecificReasons(), terms.Disputes(), outcomes.Prices(), outcomes.Rankings()),
)

#: A further rule with more findings than this about one thing is broken, or floods the log.
MAX_FINDINGS = 1000
#: A refusal lists this many findings, and says how many more there are.
MAX_LISTED = 100

T = TypeVar("T")
_CheckName = Literal["check_kind", "check_policy", "check_consumer", "check_read"]
_CHECK_NAMES: tuple[_CheckName, ...] = get_args(_CheckName)
#: The checks that the built-in rules implement. A hub checks every read, and most rules do not.
#: Bound here once, so that nothing set on a rule later replaces them.
_CHECKS: Mapping[_CheckName, tuple[Callable[[Any], Iterable[Finding]], ...]] = MappingProxyType(
    {
        name: tuple(
            getattr(rule, name)
            for rule in BUILT_IN
            if getattr(type(rule), name) is not getattr(GuardRule, name)
        )
        for name in _CHECK_NAMES
    }
)
_RANKS: Mapping[str, int] = MappingProxyType({rule.id: rank for rank, rule in enumerate(BUILT_IN)})


def proposal_digest(name: str, entry: Observation) -> str:
    """What an approval is given to: the digest of a proposed observation with its id (RFC 8785, SHA-256)."""
    return codec.digest({name: entry})


def needs_review(findings: Iterable[Finding]) -> bool:
    """Whether a person must review what these findings are about."""
    return any(finding.action is Action.REVIEW for finding in findings)


def _to_set(digests: Iterable[str]) -> frozenset[str]:
    return frozenset(digests)


def _to_tuple(rules: Iterable[GuardRule]) -> tuple[GuardRule, ...]:
    return tuple(rules)


@final
@frozen
class Guard:
    """Checks by the built-in rules, and by `extra` ones from plugins in addition, never instead.

    `approved` are the digests of the proposed observations that two people of a hub approved. They are
    checked
    like all others: an approval only ends the refusal of what is not approved.
    """

    _extra: tuple[GuardRule, ...] = field(default=(), converter=_to_tuple)
    _approved: frozenset[str] = field(default=frozenset(), converter=_to_set)

    def __init_subclass__(cls) -> None:
        raise TypeError("Guard cannot be subclassed; add a rule instead")

    def with_approved(self, digests: Iterable[str]) -> Self:
        """The same guard for a hub whose operators approved the proposed entries with these digests."""
        return evolve(self, approved=frozenset(digests))

    def check_kind(self, kind: SignalKind) -> tuple[Finding, ...]:
        """Findings about a kind that a plugin registers."""
        findings = self._check("check_kind", kind, labels.label_kind)
        if kind.proposal is None or proposal_digest(kind.observation, kind.proposal) in self._approved:
            return findings
        return _sort((*findings, DECLARATIONS.refuse_unapproved(kind)))

    def check_policy(self, policy: Policy, kinds: Iterable[SignalKind] = ()) -> tuple[Finding, ...]:
        """Findings about a policy that an operator loads, and about the kinds in it.

        The policy must not contradict the registered `kinds`, as far as known; those that it weights are
        checked again. Two partners may have registered one name.
        """
        weightings = {weighting.kind.name: weighting for weighting in policy.weightings}
        findings = [*self._check("check_policy", policy, labels.label_policy)]
        for weighting in policy.weightings:
            findings += self.check_kind(weighting.kind)
        for kind in kinds:
            if weighting_of_kind := weightings.get(kind.name):
                findings += DECLARATIONS.check_registered(policy, weighting_of_kind, kind)
                findings += self.check_kind(kind)
        return _sort(findings)

    def check_consumer(self, consumer: ConsumerDeclaration) -> tuple[Finding, ...]:
        """Findings about a consumer that registers."""
        return self._check("check_consumer", consumer, labels.label_consumer)

    def check_read(self, reading: ReadRequest) -> tuple[Finding, ...]:
        """Findings about one read of one person's score."""
        return self._check("check_read", reading, labels.label_reading)

    def check_grant(self, grant: Grant) -> tuple[Finding, ...]:
        """Findings about a grant that is to be recorded. Only built-in rules check grants."""
        return tuple(MINIMUM_AGE.check_grant(grant))

    def admit_kind(self, kind: SignalKind) -> None:
        """Admit a kind, or raise `GuardRefusedError` with the findings."""
        _admit(self.check_kind(kind))

    def admit_policy(self, policy: Policy, kinds: Iterable[SignalKind] = ()) -> tuple[Finding, ...]:
        """Admit a policy, with the findings that do not refuse it, or raise `GuardRefusedError`."""
        findings = self.check_policy(policy, kinds)
        _admit(findings)
        return findings

    def admit_consumer(self, consumer: ConsumerDeclaration) -> None:
        """Admit a consumer, or raise `GuardRefusedError` with the findings."""
        _admit(self.check_consumer(consumer))

    def admit_grant(self, grant: Grant) -> None:
        """Admit a grant, or raise `GuardRefusedError` with the findings."""
        _admit(self.check_grant(grant))

    def _check(self, name: _CheckName, item: T, label: Callable[[T], str]) -> tuple[Finding, ...]:
        added = [finding for rule in self._extra for finding in _run_further_rule(rule, name, item, label)]
        findings: list[Finding] = []
        for check in _CHECKS[name]:
            # Most checks return an empty tuple, which is not worth a call to extend.
            if these := check(item):
                findings.extend(these)
        return _sort([*findings, *added]) if findings or added else ()


def _sort(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: those of the built-in rules first, in the order of the rules."""
    return tuple(sorted(dict.fromkeys(findings), key=_order))


def _order(finding: Finding) -> tuple[int, str, str, str, str, str, str]:
    texts = (finding.rule, finding.about, finding.reason, finding.hint, finding.action, finding.source)
    return (_RANKS.get(finding.rule, len(_RANKS)), *texts)


def _admit(findings: tuple[Finding, ...]) -> None:
    refusals = [finding for finding in findings if finding.action is Action.REFUSE]
    if not refusals:
        return
    warnings = [finding for finding in findings if finding.action is not Action.REFUSE]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    if len(findings) > MAX_LISTED:
        more += f" ({len(findings) - MAX_LISTED} findings more than the {MAX_LISTED} listed)"
    # Warnings last, so that the cut never drops a refusal in favour of one.
    raise GuardRefusedError(f"{refusals[0]}{more}", (*refusals, *warnings)[:MAX_LISTED])


def _run_further_rule(
    rule: GuardRule, check: _CheckName, item: T, label: Callable[[T], str]
) -> Iterable[Finding]:
    try:
        # A copy: a rule may change what it is given, now or later, and nothing else may see that change.
        returned = getattr(rule, check)(deepcopy(item))
        findings = list(islice(returned, MAX_FINDINGS + 1))
        plain = all(type(finding) is Finding for finding in findings)
        findings = [evolve(finding) for finding in findings] if plain else []
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever else it raises is a refusal
        return (_broken(rule, label(item), f"it failed with {type(error).__name__}"),)
    if len(findings) > MAX_FINDINGS or not plain:
        return (_broken(rule, label(item), "it did not return findings"),)
    return findings


def _broken(rule: GuardRule, about: str, failure: str) -> Finding:
    kind = type(rule)
    name = labels.truncate(f"{kind.__module__}.{kind.__qualname__}", 150)
    return Finding(
        rule="EXT-0",
        action=Action.REFUSE,
        about=about,
        reason=f"the further rule {name} could not check this: {failure}",
        hint="fix or remove the plugin that provides the rule",
        source="every further rule must succeed before anything is admitted",
        dated=labels.CHECKED_ON,
    )
