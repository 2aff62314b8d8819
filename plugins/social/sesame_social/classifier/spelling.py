"""Writes posts in ordinary spelling before they are hashed: emoji get names, disguised words their letters.

Rules:
1. An emoji stays, and its name follows it: ``I 🔪 them`` has the word knife. Names are those of Unicode
   without words such as *face*; `words/emoji.txt` has plainer ones, and the people that an emoji stands for.
2. Styled letters (bold, in circles, in squares), and look-alikes of another script in a Latin word, become
   letters.
3. Digits and signs between the letters of a word become the letters that they resemble: ``h4te``.
4. Letters that stand apart become a word: ``s c u m``.
5. A sign stands at both ends of a quotation that is a part of a post: words that are quoted are not used.

Addresses and names after ``@`` and ``#`` stay as they are.
"""

import re
import unicodedata
from functools import cache
from importlib.resources import files

from sesame_social.classifier.features import QUOTATION

_SYMBOLS = "\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_STYLED = re.compile("[\u2460-\u24ff\U0001d400-\U0001d7ff\U0001f110-\U0001f189]")
#: Letters in filled circles and squares, which have no compatibility form: three rows of 32.
_FILLED = range(0x1F150, 0x1F18A)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_MIXED = re.compile("[A-Za-z]*[\u0370-\u04ff][A-Za-z\u0370-\u04ff]*")
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u0456\u043e\u0443\u0440\u0441\u0445\u0455\u0458\u0501\u04bb\u043a\u043c\u0442\u0432\u043d"
    "\u03b1\u03bf\u03b5\u03b9\u03ba\u03bd\u03c4\u03c5\u03c1",
    "aeioypcxsjdhkmtbhaoeikvtup",
)
_LEET = re.compile(r"(?<![\w@/#&.=?%+-])[A-Za-z]+(?:[013457@$!|]{1,2}[A-Za-z]+)+[1357$]?(?![\w@/=])")
_LETTERS = str.maketrans("013457@$!|", "oieastasil")
_APART = re.compile(r"(?<![\w'])(?:[A-Za-z][ ._*-]){2,}[A-Za-z](?![\w'])")
#: A quotation that is not the whole post; with ``"@name:`` a whole post of another person is repeated.
_WORDS = '[^"\u201c\u201d\u300c\u300d\\0@][^"\u201c\u201d\u300c\u300d\\0]{3,300}'
_QUOTED = re.compile(
    f'(?<!\\0)["\u201c\u300c]({_WORDS})["\u201d\u300d]|["\u201c\u300c]({_WORDS})["\u201d\u300d](?!\\0)'
)
_QUOTE = chr(QUOTATION)
_SEPARATORS = re.compile(r"[ ._*-]")
_FILLERS = frozenset(
    ("face", "with", "of", "sign", "symbol", "mark", "emoji", "and", "the", "black", "white")
)


def respell(text: str) -> str:
    """Write a text in ordinary spelling."""
    if not text.isascii():
        text = _STYLED.sub(_replace_styled, text)
        text = _MIXED.sub(_replace_look_alikes, text)
        text = _emoji_pattern().sub(lambda emoji: f" {emoji[1]} {_name_emoji(emoji[1])} ", text)
    text = _QUOTED.sub(lambda quote: f" {_QUOTE}{quote[1] or quote[2]}{_QUOTE} ", text)
    text = _LEET.sub(lambda word: word[0].translate(_LETTERS), text)
    return _APART.sub(_join_letters, text)


def _replace_styled(letter: re.Match[str]) -> str:
    code = ord(letter[0])
    if code in _FILLED:
        return _ALPHABET[(code - _FILLED[0]) % 32 : (code - _FILLED[0]) % 32 + 1] or letter[0]
    return unicodedata.normalize("NFKC", letter[0])


def _replace_look_alikes(word: re.Match[str]) -> str:
    """Only in a word that has Latin letters too: others are of another language."""
    is_mixed = any(char.isascii() for char in word[0])
    return word[0].lower().translate(_LOOK_ALIKES) if is_mixed else word[0]


def _join_letters(word: re.Match[str]) -> str:
    letters = _SEPARATORS.sub("", word[0])
    # In "I h a t e" the first letter is a word of its own.
    return f"I {letters[1:]}" if word[0].startswith("I ") else letters


@cache
def _emoji_pattern() -> re.Pattern[str]:
    """A known sequence, a flag or a single emoji, once or several times."""
    sequences = sorted((name for name in _emoji_words() if len(name) > 1), key=len, reverse=True)
    return re.compile(f"({'|'.join([*sequences, _FLAG, f'[{_SYMBOLS}]'])})\\1*")


@cache
def _name_emoji(emoji: str) -> str:
    if emoji in _emoji_words():
        return _emoji_words()[emoji]
    if len(emoji) > 1:
        return "flag"
    words = unicodedata.name(emoji, "").lower().replace("-", " ").split()
    return " ".join(word for word in words if word not in _FILLERS)


@cache
def _emoji_words() -> dict[str, str]:
    lines = (files(__package__) / "words" / "emoji.txt").read_text("utf-8").splitlines()
    parts = [line.partition(": ") for line in lines if not line.startswith("#")]
    return {emoji: words for listed, _, words in parts for emoji in listed.split()}
