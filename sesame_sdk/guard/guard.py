"""The guard's four doors. At each, every built-in rule that stands there runs; further rules only add.

A further rule that raises anything but the operator's Ctrl-C, or that hands back anything but
findings, refuses by its own name: a broken rule must not open the door that it was put there to keep.

Findings come in the order of the rulebook and then of what they say, so that the order of entries in
what is judged never matters.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import islice
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, final, get_args

from attrs import evolve, field, frozen

from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard import labels
from sesame_sdk.guard.builtin_rules import ADULTS, BUILT_IN, OF_REGISTERED
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import Grant, Reading
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind

#: A further rule that finds more than this in one thing is broken, or floods the log.
MOST_FINDINGS = 1000
#: A refusal lists this many findings, and says how many more there are.
MOST_LISTED = 100

T = TypeVar("T")
_Door = Literal["check_kind", "check_policy", "check_consumer", "check_read"]
_DOORS: tuple[_Door, ...] = get_args(_Door)
_Check: TypeAlias = Callable[[Any], Iterable[Finding]]
#: The checks of the built-in rules that stand at each door. A hub asks at every read, and most rules
#: stand elsewhere. Bound here once, so that nothing put on a rule later takes their place.
_STANDING: Mapping[_Door, tuple[_Check, ...]] = MappingProxyType(
    {
        door: tuple(
            getattr(rule, door)
            for rule in BUILT_IN
            if getattr(type(rule), door) is not getattr(GuardRule, door)
        )
        for door in _DOORS
    }
)
_RANKS: Mapping[str, int] = MappingProxyType({rule.id: rank for rank, rule in enumerate(BUILT_IN)})


def _rules(given: Iterable[GuardRule]) -> tuple[GuardRule, ...]:
    return tuple(given)


@final
@frozen
class Guard:
    """Judges kinds, policies, consumers and reads.

    Args:
        extra: further rules, from plugins. They run beside the built-in ones, never instead.
    """

    _extra: tuple[GuardRule, ...] = field(default=(), converter=_rules)

    def __init_subclass__(cls) -> None:
        raise TypeError("a guard is not to be overridden; a further rule adds to it")

    def kind(self, kind: SignalKind) -> tuple[Finding, ...]:
        """What the rules find in a kind that a plugin registers."""
        return self._judge("check_kind", kind, labels.of_kind)

    def policy(self, policy: Policy, kinds: Iterable[SignalKind] = ()) -> tuple[Finding, ...]:
        """What the rules find in a policy.

        Args:
            policy: the policy that an operator loads.
            kinds: the registered kinds, as far as known. Those that the policy weighs are judged again, and
                the policy must not contradict them. Two partners may have registered one name.

        What the policy itself takes its kinds to be is judged as any kind is.
        """
        used = {weighting.kind.name: weighting for weighting in policy.weightings}
        findings = [*self._judge("check_policy", policy, labels.of_policy)]
        for weighting in policy.weightings:
            findings += self.kind(weighting.kind)
        for kind in kinds:
            if taken := used.get(kind.name):
                for rule in OF_REGISTERED:
                    findings += rule.check_registered(policy, taken, kind)
                findings += self.kind(kind)
        return _in_order(findings)

    def consumer(self, consumer: ConsumerDeclaration) -> tuple[Finding, ...]:
        """What the rules find in a consumer that registers."""
        return self._judge("check_consumer", consumer, labels.of_consumer)

    def read(self, reading: Reading) -> tuple[Finding, ...]:
        """What the rules find in one read of one person's score."""
        return self._judge("check_read", reading, labels.of_reading)

    def grant(self, grant: Grant) -> tuple[Finding, ...]:
        """What the rules find in a consent that is to be recorded. The built-in ones alone are asked."""
        return tuple(ADULTS.check_grant(grant))

    def admit_kind(self, kind: SignalKind) -> None:
        """Let a kind pass, or raise `errors.Refused` with the findings."""
        _admit(self.kind(kind))

    def admit_policy(self, policy: Policy, kinds: Iterable[SignalKind] = ()) -> None:
        """Let a policy pass, or raise `errors.Refused` with the findings."""
        _admit(self.policy(policy, kinds))

    def admit_consumer(self, consumer: ConsumerDeclaration) -> None:
        """Let a consumer pass, or raise `errors.Refused` with the findings."""
        _admit(self.consumer(consumer))

    def admit_read(self, reading: Reading) -> None:
        """Let a read pass, or raise `errors.Refused` with the findings."""
        _admit(self.read(reading))

    def admit_grant(self, grant: Grant) -> None:
        """Let a consent be recorded, or raise `errors.Refused` with the findings."""
        _admit(self.grant(grant))

    def _judge(self, door: _Door, thing: T, name: Callable[[T], str]) -> tuple[Finding, ...]:
        added = [finding for rule in self._extra for finding in _asked(rule, door, thing, name)]
        found: list[Finding] = []
        for check in _STANDING[door]:
            # Most find nothing, and say so with an empty tuple: it need not be walked through.
            if here := check(thing):
                found.extend(here)
        return _in_order([*found, *added]) if found or added else ()


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once: the built-in rules' first, in the order of the rulebook."""
    once = dict.fromkeys(findings)
    return tuple(sorted(once, key=lambda one: (_RANKS.get(one.rule, len(_RANKS)), one.rule, *_words(one))))


def _words(finding: Finding) -> tuple[str, ...]:
    return (finding.about, finding.reason, finding.hint, finding.action, finding.source)


def _admit(findings: tuple[Finding, ...]) -> None:
    refusals = [finding for finding in findings if finding.action is not Action.WARN]
    if not refusals:
        return
    warnings = [finding for finding in findings if finding.action is Action.WARN]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    if len(findings) > MOST_LISTED:
        more += f" ({len(findings) - MOST_LISTED} findings more than the {MOST_LISTED} listed)"
    # Warnings last, so that the cut never hides a refusal behind one.
    raise GuardRefusedError(f"{refusals[0]}{more}", (*refusals, *warnings)[:MOST_LISTED])


def _asked(rule: GuardRule, door: _Door, thing: T, name: Callable[[T], str]) -> Iterable[Finding]:
    """The findings of a rule that is not ours."""
    try:
        # A copy: whatever a rule does to what it is shown, now or later, is done to nothing that is used.
        answer = getattr(rule, door)(deepcopy(thing))
        findings = list(islice(answer, MOST_FINDINGS + 1))
        plain = all(type(finding) is Finding for finding in findings)
        findings = [evolve(finding) for finding in findings] if plain else []
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever else it raises, the door stays shut
        return (_broken(rule, name(thing), f"it failed with {type(error).__name__}"),)
    if len(findings) > MOST_FINDINGS or not plain:
        return (_broken(rule, name(thing), "it did not answer with findings"),)
    return findings


def _broken(rule: GuardRule, about: str, what: str) -> Finding:
    kind = type(rule)
    name = labels.clipped(f"{kind.__module__}.{kind.__qualname__}", 150)
    return Finding(
        rule="EXT-0",
        action=Action.REFUSE,
        about=about,
        reason=f"the further rule {name} could not judge this: {what}",
        hint="mend or remove the plugin that brings the rule",
        source="a further rule must answer before anything passes",
        dated=labels.READ_ON,
    )
