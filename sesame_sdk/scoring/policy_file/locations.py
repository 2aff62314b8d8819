"""Where in a policy file something is: faults and findings, with the line that they are about."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from sesame_sdk.errors import ConfigurationError, FindingLike, InvalidInputError
from sesame_sdk.scoring.policy_file.toml_lines import Path, key_lines, line_of

_BARE = re.compile(r"[A-Za-z0-9_-]+(, [a-z]+)?")
_LONGEST_KEY = 60
#: How findings name what they are about (`guard.subject`), and under which key a file names it.
_ABOUT = re.compile(r"(?:policy .*?, )?(?P<what>kind|effect|band) (?P<name>.+)")
_TABLES = {"kind": ("kinds", "kind"), "effect": ("effects", "name"), "band": ("bands", "name")}
#: Keys that a rule looks at where it looks at no kind or effect; the first that the file has is shown.
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


@frozen
class PolicyText:
    """The text of a policy file, and what errors call the file."""

    name: str
    text: str

    def fault(self, path: Path, message: str, hint: str) -> ConfigurationError:
        """An error that names the file, the line as far as there is one, and the key."""
        line = line_of(key_lines(self.text), path)
        where = (self.name, f"line {line}" if line else "", dotted(path))
        return ConfigurationError(message, field=", ".join(filter(None, where)), hint=hint)

    @contextmanager
    def naming(self, *path: str | int, keys: Mapping[str, str] | None = None) -> Iterator[None]:
        """Errors of the nouns, as errors of the file that say where in it.

        Args:
            path: of the table that the noun is made of.
            keys: what the file calls the fields that have another name there.
        """
        try:
            yield
        except InvalidInputError as error:
            named = (keys or {}).get(error.field or "", error.field)
            whole = (*path, named) if named else path
            raise self.fault(whole, error.message, error.hint or "mend the value") from error


def finding_lines(text: str, findings: Iterable[FindingLike]) -> tuple[int | None, ...]:
    """The line of the policy `text` that each finding is about; None where there is no telling.

    Args:
        text: of a policy file that could be read.
        findings: of the guard about that policy.
    """
    lines, values = key_lines(text), tomllib.loads(text)
    return tuple(line_of(lines, _path_of(finding, values)) for finding in findings)


def dotted(path: Path) -> str:
    """A path as people write it: ``kinds[0].cap``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def _shown(key: str) -> str:
    return (key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False))[:_LONGEST_KEY]


def _path_of(finding: FindingLike, values: Mapping[str, Any]) -> Path:
    named = _ABOUT.fullmatch(getattr(finding, "about", ""))
    if named:
        table, key = _TABLES[named["what"]]
        entries = enumerate(values.get(table, ()))
        found = next((at for at, entry in entries if _is_named(entry.get(key), named["name"])), None)
        return () if found is None else (table, found, key)
    return next(((key,) for key in _KEYS.get(finding.rule, ()) if key in values), ("name",))


def _is_named(entry: object, name: str) -> bool:
    """Whether a finding that says `name` means this entry; a long name is cut there."""
    return entry == name or (name.endswith("…") and str(entry).startswith(name[:-1]))
