"""A word list as one regular expression that tries each letter once, however long the list is."""

from collections.abc import Iterable
from typing import TypeAlias

_Trie: TypeAlias = dict[str, "_Trie"]
_END = ""
_ANY_ENDING = {"*": "[a-z]*"}


def alternatives(phrases: Iterable[str]) -> str:
    """A pattern for any of `phrases`, the longest first. A star matches any ending of a word.

    Alternatives with a common prefix share its pattern, so that matching does not slow down with the list.
    """
    root: _Trie = {}
    for phrase in phrases:
        node = root
        for letter in phrase:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return _pattern(root)


def _pattern(node: _Trie) -> str:
    # The star comes last: it also matches nothing, and would hide longer phrases that begin with its word.
    letters = sorted(node.keys() - {_END}, key=lambda letter: (letter in _ANY_ENDING, letter))
    branches = [_ANY_ENDING.get(letter, letter) + _pattern(node[letter]) for letter in letters]
    if not branches:
        return ""
    optional = "?" if _END in node else ""
    return branches[0] if len(branches) == 1 and not optional else f"(?:{'|'.join(branches)}){optional}"
