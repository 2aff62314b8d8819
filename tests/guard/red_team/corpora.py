"""Two corpora of policies: harmful ones that the guard must not admit, honest ones that it must admit.

Every entry is one policy with one idea, in the words of an operator. The harmful ones were written by what
they would do, before their author read the guard's word lists, and most avoid every obvious word. A file
contains one language, or names it in each entry.

Keys of both corpora: `trade`, `policy` (its name), `aim`, `kind` (a kind's name), `reason` (the kind's text),
`effect` (the effect's text), `lowers` (whether the kind lowers the score) and `below` (whether the effect is
for people below a band). A harmful entry has the kind or the effect that does harm, or only an aim.

Keys of a harmful entry: `harm` (the rule that its idea breaks), `does` (what it would do), `truth` (the
truthful name of what it would record, or bring about), `nearest` (the entry of the catalogues that a false
declaration would name) and `contradicts` (the words of that entry which make the declaration false).

Keys of an honest entry: `language`, `observation` and `entry` (what it truthfully records and grants, by the
ids of the catalogues).
"""

import tomllib
from pathlib import Path

from attrs import frozen

FOLDER = Path(__file__).parent
LANGUAGES = ("de", "en", "es", "fr", "zh")


@frozen(kw_only=True)
class Entry:
    """What harmful and honest policies share: their texts."""

    id: str
    language: str
    trade: str
    policy: str
    aim: str
    kind: str = ""
    reason: str = ""
    effect: str = ""
    lowers: bool = False
    below: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that an operator may choose freely, whatever the entry is declared to be."""
        return tuple(text for text in (self.policy, self.aim, self.kind, self.reason, self.effect) if text)


@frozen(kw_only=True)
class HarmfulEntry(Entry):
    """A policy that the guard must refuse."""

    harm: str
    does: str
    truth: str
    nearest: str
    contradicts: str

    @property
    def records(self) -> bool:
        """Whether the harm is in what it records, and not in what follows from the score."""
        return bool(self.reason)


@frozen(kw_only=True)
class HonestEntry(Entry):
    """A policy that the guard must admit."""

    observation: str
    entry: str


def load_harmful() -> tuple[HarmfulEntry, ...]:
    """All harmful policies, by language."""
    return tuple(
        HarmfulEntry(id=f"{language}-{name}", language=language, **keys)
        for language in LANGUAGES
        for name, keys in _load(f"harmful_{language}.toml").items()
    )


def load_honest() -> tuple[HonestEntry, ...]:
    """All honest policies."""
    return tuple(HonestEntry(id=name, **keys) for name, keys in _load("honest.toml").items())


def _load(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
