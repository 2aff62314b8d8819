"""What the README shows is what comes out."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
SHOWN = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("code", "printed"), SHOWN)
def test_what_the_readme_shows_is_what_comes_out(code: str, printed: str) -> None:
    """Typed in as it stands there."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})  # noqa: S102 - our own README
    assert out.getvalue() == printed


def test_the_readme_shows_something() -> None:
    """The quick start, the pages, and the pool."""
    assert len(SHOWN) == 3
