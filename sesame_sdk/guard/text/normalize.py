"""Folding: many spellings of a text to the few that are matched.

Capitals, full-width forms, accents, look-alike letters and zero-width characters fold away. A text
that can be read in several ways (CamelCase, signs for letters, digits between words) is read in each.
`skeleton` then makes equal what reads alike, in the text and in the word lists.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

#: One character may unfold to 18. What a person cannot read at a glance, nobody can judge.
LONGEST = 1000

_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPELLED_OUT = re.compile(r"(?<!\S)[a-z](?: [a-z]){2,}(?!\S)")
#: Cyrillic and Greek letters and small capitals that look like Latin letters.
_LOOKALIKES = str.maketrans(
    "авекмнорстухіјѕԁɡαεικνορτυχıӏɪʟᴀʙᴄᴅᴇɢʜᴊᴋᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢгԛԝһωηγøđłħⲟⲣⲥⲉⲁꓑꓔꓳꓰꓮꓲꓢꓣ",
    "abekmhopctyxijsdgaeiknoptuxililabcdeghjkmnoprtuvwyzrqwhwnyodlhopceaptoeaisr",
)
_SIGNS = str.maketrans("@$|+", "aslt")
_DIGITS = str.maketrans(dict.fromkeys("0123456789", " "))
_READ_ALIKE = str.maketrans("l013457", "ioieast")
_MOST_PIECES = 4
_LONGEST_WORD = 24


class TooLongError(ValueError):
    """A text that unfolds to more than `LONGEST` characters."""


def readings(text: str) -> list[list[str]]:
    """The words of `text` as it stands, with CamelCase apart, signs as letters, digits as spaces.

    Raises:
        TooLongError: it unfolds to more than `LONGEST` characters.
    """
    composed = _bounded(unicodedata.normalize("NFKC", _bounded(text)))
    ways = (composed, _CAMEL.sub(" ", composed), composed.translate(_SIGNS), composed.translate(_DIGITS))
    return [_words(way) for way in dict.fromkeys(ways)]


def joined(words: Sequence[str]) -> Iterator[str]:
    """Every run of two to four `words` as one word, and letters spelled out as one."""
    for start in range(len(words)):
        run = words[start]
        for piece in words[start + 1 : start + _MOST_PIECES]:
            run += piece
            if len(run) > _LONGEST_WORD:
                break
            yield run
    yield from (found[0].replace(" ", "") for found in _SPELLED_OUT.finditer(" ".join(words)))


def skeleton(text: str) -> str:
    """`text`, as long as before, with one letter for those that read alike: 1 and l as i, 0 as o."""
    return text.translate(_READ_ALIKE)


def _words(text: str) -> list[str]:
    unfolded = _bounded(unicodedata.normalize("NFKD", text.casefold()))
    kept = "".join(letter for letter in unfolded if unicodedata.category(letter) not in {"Mn", "Cf"})
    return _TOKEN.findall(kept.translate(_LOOKALIKES))


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise TooLongError
    return text
