"""Makes synthetic texts from templates: for and against something, against prejudice, and Chinese spam.

They teach the heads that neither praise nor criticism of an institution is abuse or spam. No model is
evaluated on them: the tests have templates of their own.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

#: Sections with one sentence a line.
_SENTENCE_SECTIONS = ("[frame]", "[voice]", "[speech]", "[quoted]", "[composed]", "[ham]")
#: Texts against prejudice: whole, with a slur quoted to condemn it (in Chinese; in English that cost half a
#: point of F1 and helped little), or composed of parts, which are the most.
_SECTIONS = ("speech", "quoted", "composed", "composed")
_SLOTS = ("group", "slur", "act", "condemn", "scene")
#: Share of them with another ending.
_SHARE_WITH_ENDING = 0.3
#: Share of texts for and against something that quote a speaker: abuse of people does so too.
_SHARE_VOICED = 0.4


@cache
def load_templates(name: str) -> dict[str, list[str]]:
    """Load the sections of a file of templates; lists are comma-separated, sentences one a line."""
    sections: dict[str, list[str]] = {}
    section: list[str] = []
    whole = False
    for line in (files(__package__) / "words" / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), [])
            whole = line in _SENTENCE_SECTIONS
        elif line.strip():
            section += [line] if whole else [word.strip() for word in line.split(", ")]
    return sections


def make_neutral_texts(language: str, pairs: int, random: Random, *, voiced: bool = True) -> list[str]:
    """Make pairs of texts for and against something, equal otherwise, and as many against prejudice.

    The language is ``en`` or ``zh``; if `voiced`, some texts quote a speaker.
    """
    part = load_templates(f"templates_{language}")
    texts = []
    for number in range(pairs):
        frame, thing = random.choice(part["frame"]), random.choice(part["thing"])
        if voiced and random.random() < _SHARE_VOICED:
            frame = random.choice(part["voice"]).replace("{text}", frame)
        for mood, side in (("good", "for"), ("bad", "against")):
            text = frame.format(thing=thing, mood=random.choice(part[mood]), side=random.choice(part[side]))
            texts.append(_add_ending(text, random) if number % 2 else text)
    return texts + [_against_prejudice(part, random) for _ in range(pairs)]


def _against_prejudice(part: Mapping[str, list[str]], random: Random) -> str:
    frame = random.choice(part[random.choice([sort for sort in _SECTIONS if sort in part])])
    text = frame.format(**{slot: random.choice(part[slot]) for slot in _SLOTS if slot in part})
    return _add_ending(text, random) if random.random() < _SHARE_WITH_ENDING else text


def make_chinese_spam(count: int, random: Random) -> tuple[list[str], list[str]]:
    """Spam, and ordinary posts, in Chinese: no public set that we may use has any."""
    part = load_templates("spam_zh")

    def filled(frame: str) -> str:
        number = str(random.randrange(10, 10 ** random.randrange(2, 11)))
        name = "".join(random.choices("abcdefghjkmnpqrstuvwxyz0123456789", k=8))
        gain = random.choice(part["gain"]).format(number=number)
        goods = random.choice(part["goods"])
        url = f"http://{name}.cn/{name[:3]}"
        return frame.format(id=name, gain=gain, goods=goods, number=number, url=url)

    spam = [filled(random.choice(part["frame"])) for _ in range(count)]
    return spam, [filled(random.choice(part["ham"])) for _ in range(count)]


def _add_ending(text: str, random: Random) -> str:
    return text + random.choice(("!", "!!", "?", "...", " :)", "。", " lol"))
