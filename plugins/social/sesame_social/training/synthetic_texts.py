"""Texts that we made: for and against, speech against prejudice, and Chinese spam, from templates of ours.

They teach the heads that neither praise nor criticism of an institution is abuse or spam. Nobody posted them,
and no figure is measured on them: the tests have templates of their own.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

#: Sections of whole sentences, one a line.
_WHOLE = ("[frame]", "[voice]", "[speech]", "[quoted]", "[composed]", "[ham]")
#: Texts against prejudice: as a whole, with a slur said in order to condemn it (in Chinese; in English that
#: cost half a point of F1 and helped little), or put together from parts, which are the most.
_SORTS = ("speech", "quoted", "composed", "composed")
_SLOTS = ("group", "slur", "act", "condemn", "scene")
#: How many of them end otherwise than they stand.
_ENDED = 0.3
#: How many of those for and against somebody is said to say: abuse of people has such words as well.
_VOICED = 0.4


@cache
def load_templates(name: str) -> dict[str, list[str]]:
    """The sections of a file of templates; lists are comma-separated, frames one a line."""
    made: dict[str, list[str]] = {}
    section: list[str] = []
    whole = False
    for line in (files(__package__) / "words" / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = made.setdefault(line.strip("[]"), [])
            whole = line in _WHOLE
        elif line.strip():
            section += [line] if whole else [word.strip() for word in line.split(", ")]
    return made


def make_neutral_texts(language: str, pairs: int, random: Random, *, voiced: bool = True) -> list[str]:
    """So many texts for, and as many against, that differ in nothing else; and as many on prejudice.

    Args:
        language: ``en`` or ``zh``.
        pairs: how many.
        random: draws them.
        voiced: whether some begin with who says so.
    """
    part = load_templates(f"templates_{language}")
    made = []
    for number in range(pairs):
        frame, thing = random.choice(part["frame"]), random.choice(part["thing"])
        if voiced and random.random() < _VOICED:
            frame = random.choice(part["voice"]).replace("{text}", frame)
        for mood, side in (("good", "for"), ("bad", "against")):
            text = frame.format(thing=thing, mood=random.choice(part[mood]), side=random.choice(part[side]))
            made.append(_ended(text, random) if number % 2 else text)
    return made + [_against_prejudice(part, random) for _ in range(pairs)]


def _against_prejudice(part: Mapping[str, list[str]], random: Random) -> str:
    frame = random.choice(part[random.choice([sort for sort in _SORTS if sort in part])])
    text = frame.format(**{slot: random.choice(part[slot]) for slot in _SLOTS if slot in part})
    return _ended(text, random) if random.random() < _ENDED else text


def make_chinese_spam(count: int, random: Random) -> tuple[list[str], list[str]]:
    """Spam, and ordinary posts, in Chinese: no public set that we may use has any."""
    part = load_templates("spam_zh")

    def filled(frame: str) -> str:
        number = str(random.randrange(10, 10 ** random.randrange(2, 11)))
        name = "".join(random.choices("abcdefghjkmnpqrstuvwxyz0123456789", k=8))
        gain = random.choice(part["gain"]).format(number=number)
        goods = random.choice(part["goods"])
        return frame.format(
            id=name, gain=gain, goods=goods, number=number, url=f"http://{name}.cn/{name[:3]}"
        )

    spam = [filled(random.choice(part["frame"])) for _ in range(count)]
    return spam, [filled(random.choice(part["ham"])) for _ in range(count)]


def _ended(text: str, random: Random) -> str:
    return text + random.choice(("!", "!!", "?", "...", " :)", "。", " lol"))
