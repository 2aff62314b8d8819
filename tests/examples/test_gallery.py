"""The gallery: good policies without findings, and bad ones, refused for exactly their named faults.

Each refused file lists its expected findings in its header: ``# finding: RULE about``.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sesame_sdk.audit.audit import audit
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.cli.main import main
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import BUILT_IN, Guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Action
from sesame_sdk.scoring.policy_file import load_policy

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
GOOD = sorted(POLICIES.glob("*.toml"))
REFUSED = sorted((POLICIES / "refused").glob("*.toml"))
_FINDING = re.compile(r"^# finding: (\S+) (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| \[(?P<name>[\w/]+\.toml)\]\((?P=name)\) \|.*\| (?P<rules>[^|]*) \|$", re.MULTILINE)


def promised(path: Path) -> list[tuple[str, str]]:
    """The findings that a refused file says it must produce."""
    return sorted(_FINDING.findall(path.read_text(encoding="utf-8")))


def name_of(path: Path) -> str:
    """How the gallery calls a file."""
    return path.relative_to(POLICIES).as_posix()


def test_the_gallery_has_four_allowed_and_twelve_refused_policies() -> None:
    """A file that is added is looked at by the tests below."""
    assert (len(GOOD), len(REFUSED)) == (4, 12)


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_a_good_policy_has_no_findings(path: Path) -> None:
    """Not even a warning."""
    assert Guard().check_policy(load_policy(path)) == ()


@pytest.mark.parametrize("path", REFUSED, ids=name_of)
def test_a_refused_policy_gives_exactly_the_findings_that_it_names(path: Path) -> None:
    """Rule and what it is about; each has a line of the file."""
    with pytest.raises(GuardRefusedError) as refused:
        load_policy(path)
    assert sorted((finding.rule, finding.about) for finding in refused.value.findings) == promised(path)
    assert all(refused.value.lines)


@pytest.mark.parametrize("path", REFUSED, ids=name_of)
def test_a_refused_policy_says_first_that_it_is_one(path: Path) -> None:
    """A refused file is marked as such, with its effect on people in plain words."""
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    assert first == "# The guard must refuse this policy. It is an example of a refusal and must not be used."
    words = [line for line in rest[: rest.index("")] if not line.startswith("# finding")]
    assert len(" ".join(words)) > 150


def test_every_rule_that_a_policy_file_can_break_is_broken_by_one() -> None:
    """Every rule of the rulebook that looks at kinds or policies, and no other."""
    refused_rules = {rule for path in REFUSED for rule, _ in promised(path)}
    checks: tuple[Callable[[GuardRule], object], ...] = (
        lambda rule: type(rule).check_policy is not GuardRule.check_policy,
        lambda rule: type(rule).check_kind is not GuardRule.check_kind,
    )
    assert refused_rules == {rule.id for rule in BUILT_IN if any(stands(rule) for stands in checks)}


@pytest.mark.parametrize("path", REFUSED, ids=name_of)
def test_the_command_line_refuses_it_and_prints_every_finding(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, one row a finding, nothing on stdout."""
    monkeypatch.delenv("COLUMNS", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["policy", "check", str(path)])
    out, err = capsys.readouterr()
    rows = [line.split()[0] for line in err.splitlines() if re.match(r"[A-Z]{3}-\d[\t ]", line)]
    assert (ended.value.code, out) == (3, "")
    assert sorted(rows) == [rule for rule, _ in promised(path)]


def test_the_table_of_the_gallery_is_true() -> None:
    """A row for each file, with the rules that it breaks; a rule that only warns says so."""
    rows = dict(_ROW.findall((POLICIES / "README.md").read_text(encoding="utf-8")))
    assert rows == {name_of(path): "none" for path in GOOD} | {
        name_of(path): ", ".join(dict.fromkeys(rule for rule, _ in promised(path))) for path in REFUSED
    }


def test_all_of_the_gallery_is_refused_and_not_merely_warned_of() -> None:
    """Each finding of each refused policy refuses by itself."""
    for path in REFUSED:
        with pytest.raises(GuardRefusedError) as refused:
            load_policy(path)
        assert {finding.action for finding in refused.value.findings} == {Action.REFUSE}, path


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_audit_warns_of_a_good_policy_three_times_at_most(path: Path) -> None:
    """Of 20,000 simulated people; none of the findings refuses."""
    findings = audit(load_policy(path), Population(people=20_000)).findings
    assert len(findings) <= 3
    assert {finding.action for finding in findings} <= {Action.WARN}
