"""Text normalization: the many spellings of a text become the few that are matched.

Capitals, full-width forms, accents, look-alike letters and zero-width characters are folded. A text that has
several readings (CamelCase, signs for letters, digits between words) is split once for each.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

#: One character may unfold to 18. Longer text cannot be checked.
MAX_LENGTH = 1000

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
_MAX_PIECES = 4
_MAX_WORD_LENGTH = 24


class TooLongError(ValueError):
    """A text that unfolds to more than `MAX_LENGTH` characters."""


def split_words(text: str) -> list[list[str]]:
    """The words of `text` as written, with CamelCase split, signs as letters, and digits as spaces."""
    composed = _limit(unicodedata.normalize("NFKC", _limit(text)))
    variants = (composed, _CAMEL.sub(" ", composed), composed.translate(_SIGNS), composed.translate(_DIGITS))
    return [_words(variant) for variant in dict.fromkeys(variants)]


def join_words(words: Sequence[str]) -> Iterator[str]:
    """Every run of two to four `words` as one word, and spelled-out letters as one."""
    for start in range(len(words)):
        run = words[start]
        for piece in words[start + 1 : start + _MAX_PIECES]:
            run += piece
            if len(run) > _MAX_WORD_LENGTH:
                break
            yield run
    yield from (match[0].replace(" ", "") for match in _SPELLED_OUT.finditer(" ".join(words)))


def skeleton(text: str) -> str:
    """`text`, of the same length, with one letter for those that read alike: 1 and l as i, 0 as o."""
    return text.translate(_READ_ALIKE)


@lru_cache(65_536)
def confusable_skeleton(url: str) -> str:
    """What a person sees of a URL: look-alike letters folded (Unicode TR39), without scheme and accents."""
    host, slash, path = url.partition("://")[2].partition("/")
    with suppress(UnicodeError):  # then it is shown as it is
        host = host.encode("ascii").decode("idna")
    unfolded = unicodedata.normalize("NFKD", f"{host}{slash}{path}".casefold())
    kept = "".join(char for char in unfolded if unicodedata.category(char) not in {"Mn", "Cf"})
    return skeleton(kept.translate(_LOOKALIKES)).replace("rn", "m").replace("vv", "w")


def _words(text: str) -> list[str]:
    unfolded = _limit(unicodedata.normalize("NFKD", text.casefold()))
    kept = "".join(char for char in unfolded if unicodedata.category(char) not in {"Mn", "Cf"})
    return _TOKEN.findall(kept.translate(_LOOKALIKES))


def _limit(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise TooLongError
    return text
