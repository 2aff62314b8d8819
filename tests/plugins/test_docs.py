"""docs/hooks.md describes every hook that there is, with the signature that it has."""

import inspect
import re
from pathlib import Path

import pytest

from sesame_sdk import hookspecs

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
HOOKS = {
    name: member
    for name, member in vars(hookspecs).items()
    if inspect.isfunction(member) and hasattr(member, "sesame_sdk_spec")
}


def section(name: str) -> str:
    """What the page says under the hook's heading."""
    section = re.search(rf"^## `{name}`$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/hooks.md has no heading for {name}"
    return section[1]


def signature(name: str) -> str:
    """The hook's signature, without the modules that its types come from."""
    written = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", str(inspect.signature(HOOKS[name])))
    return f"{name}{written}".replace("group: Group", "group: click.Group")


def test_the_hooks_were_found() -> None:
    """The test below looks at all five."""
    assert len(HOOKS) == 5


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_exact_signature(name: str) -> None:
    """Its section says when it is called, and its first code block is the signature."""
    blocks = re.findall(r"```python\n(.*?)\n```", section(name), re.DOTALL)
    assert blocks[0] == signature(name)
    assert len(blocks) == 2, "a signature and an example"
    assert len(blocks[1].splitlines()) <= 6
    assert section(name).strip().startswith("Called ")


def test_the_page_describes_no_hook_that_is_not_there() -> None:
    """A hook that was renamed or dropped leaves nothing behind."""
    assert set(re.findall(r"^## `(\w+)`$", PAGE, re.MULTILINE)) == HOOKS.keys()
