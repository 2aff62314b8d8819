"""No dependency has a known hole: neither the locked version, nor the lowest that an installer may choose."""

import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
#: By package: the versions that fix a hole, with its advisory.
ADVISORIES: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("advisories.toml").read_text())
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def _holes(package: str, version: Version) -> list[str]:
    known = ADVISORIES.get(canonicalize_name(package), {})
    return [f"{package} {version}: {hole}" for fixed, hole in known.items() if version < Version(fixed)]


def _requirements(project: Path) -> Iterator[Requirement]:
    content = tomllib.loads(project.read_text())
    declared = content["project"]
    groups = [
        *declared.get("optional-dependencies", {}).values(),
        *content.get("dependency-groups", {}).values(),
    ]
    return (Requirement(line) for line in chain(declared["dependencies"], *groups))


def test_no_locked_version_has_a_known_hole() -> None:
    """As developers and CI install it."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    versions = [(one["name"], Version(one["version"])) for one in locked if "version" in one]
    assert [hole for name, version in versions for hole in _holes(name, version)] == []
    assert ADVISORIES.keys() <= {name for name, _ in versions}, "remove what is not installed any more"


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_no_floor_allows_a_version_with_a_known_hole(project: Path) -> None:
    """Each requirement has a floor, except on our own plugins, and it is above every hole."""
    holes = []
    for requirement in _requirements(project):
        floors = [Version(one.version) for one in requirement.specifier if one.operator in (">=", "==")]
        if not floors:
            assert requirement.name.startswith("sesame-"), requirement
            continue
        holes += _holes(requirement.name, max(floors))
    assert holes == []


def test_the_parser_of_http_is_declared() -> None:
    """The hub uses h11 itself, not only through uvicorn, which allows older versions."""
    hub = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["hub"]
    assert any(Requirement(line).name == "h11" for line in hub)
