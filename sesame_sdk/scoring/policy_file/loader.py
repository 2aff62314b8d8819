"""Reads a policy from TOML: checked against the schema, then by the guard.

    name = "retail-privileges"
    version = 1
    context = "retail"
    aim = "Small privileges for customers whose orders go well"
    base = 550
    range = [350, 950]
    purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
    disputes = "https://shop.example/disputes"  # where a person disputes a signal

    [[bands]]
    name = "ordinary"
    from = 350                              # the first band starts at the low end of the range

    [[effects]]                             # what follows from the score; none by default
    name = "Free express delivery"
    from = "very good"                      # a band; or below = "..."
    consequence = "benefit"                 # default; or review, limit, suspension, ban
    decides = "score"                       # default; or person, who can overturn it
    price_percent = 0                       # below 0 is a discount; then set disclosed = true

    [[kinds]]
    kind = "retail.order.returned"
    unit = "GBP"
    categories = ["https://w3id.org/dpv/pd#Purchase"]
    weight = -0.2                           # points for a value of 1 today
    half_life_days = 180                    # default: does not fade
    expires_days = 730                      # default: never expires
    floor = -60                             # default: 0, it cannot lower the score
    cap = 0
    partner_cap = 60                        # the most that one partner can add or take
    reason = "Orders that you sent back"
    context = "retail"                      # default: the policy's own
    evidence = "observed"                   # default
    polarity = "both"                       # default: reward if the floor is 0, else both
    severity = "minor"                      # default; or serious, grave: how severe the conduct is
    effort = 1                              # of one more unit, for a person; default: only time helps
    code = "R2"                             # reason code; default: the kind's name

Further keys state the terms (`model.terms`): visibility, default_on, mandatory, bundled, no_score, reshare,
minimum_age, disputed_count, and the table ``[ranking]`` with parameters and other_order. The guard admits
their defaults. A kind may also have sensitivity, conduct, sources, title and description (`model.signals`).

An unknown key is an error, so that a typo cannot switch a rule off. Points have at most two decimals, so that
reasons add up to the score exactly.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sesame_sdk import toml_file
from sesame_sdk.errors import FindingLike, GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.policy_file.builder import build_policy
from sesame_sdk.scoring.policy_file.schema import EXAMPLES, MAX_BYTES, PolicySchema
from sesame_sdk.toml_file import KeyPath, TomlDocument, find_key_lines, find_line

#: How findings label what they are about (`guard.labels`), and the table and key of it in a file.
_LABEL = re.compile(r"(?:policy .*?, )?(?P<noun>kind|effect|band) (?P<name>.+)")
_TABLES = {"kind": ("kinds", "kind"), "effect": ("effects", "name"), "band": ("bands", "name")}
#: Keys that a rule checks where it is about no kind or effect; the first that the file has is shown.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "VIS-1": ("visibility",),
    "ENR-1": ("mandatory", "default_on", "bundled"),
    "NOS-1": ("no_score",),
    "MIN-1": ("minimum_age",),
    "MAT-1": ("ranking",),
    "DSP-1": ("disputed_count", "disputes"),
    "PRP-1": ("aim",),
    "PUR-6": ("reshare", "purposes"),
    **dict.fromkeys(("PUR-1", "PUR-2", "PUR-3", "PUR-4", "PUR-5"), ("purposes",)),
}


def load_policy(path: Path, guard: Guard | None = None) -> Policy:
    """Read and check the policy in the file `path`; see `parse_policy`."""
    return parse_policy(read_policy_text(path), guard, name=str(path))


def read_policy_text(path: Path) -> str:
    """The text of a policy file.

    Raises:
        ConfigurationError: naming the file.
    """
    return toml_file.read_text(path, "policy", MAX_BYTES)


def parse_policy(text: str, guard: Guard | None = None, *, name: str = "policy") -> Policy:
    """Read and check a policy.

    Args:
        text: TOML, at most `MAX_BYTES`.
        guard: checks it; by default a guard with the built-in rules alone.
        name: what errors call the file.

    Returns:
        The policy with its digest, which depends on the rules and not on how the file is written.

    Raises:
        ConfigurationError: naming file, line and key, with a hint.
        GuardRefusedError: by the guard, with its findings and their lines.
    """
    document = TomlDocument(name, text, "policy", MAX_BYTES, EXAMPLES)
    policy = build_policy(document.decode(PolicySchema), document)
    try:
        (guard or Guard()).admit_policy(policy)
    except GuardRefusedError as refused:
        refused.field = name
        refused.lines = locate_findings(text, refused.findings)
        raise
    return policy


def locate_findings(text: str, findings: Iterable[FindingLike]) -> tuple[int | None, ...]:
    """The line of the policy `text` that each finding is about; None where it is unknown.

    Args:
        text: of a policy file that could be read.
        findings: of the guard about that policy.
    """
    lines, values = find_key_lines(text), tomllib.loads(text)
    return tuple(find_line(lines, _path_of(finding, values)) for finding in findings)


def _path_of(finding: FindingLike, values: Mapping[str, Any]) -> KeyPath:
    label = _LABEL.fullmatch(getattr(finding, "about", ""))
    if label:
        table, key = _TABLES[label["noun"]]
        entries = enumerate(values.get(table, ()))
        index = next((at for at, entry in entries if _is_named(entry.get(key), label["name"])), None)
        return () if index is None else (table, index, key)
    return next(((key,) for key in _KEYS.get(finding.rule, ()) if key in values), ("name",))


def _is_named(entry: object, name: str) -> bool:
    """Whether a finding that names `name` is about this entry; findings truncate long names."""
    return entry == name or (name.endswith("…") and str(entry).startswith(name[:-1]))
