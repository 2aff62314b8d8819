"""The training data of each head: texts of the data sets, with weights, and synthetic texts.

Synthetic texts are made from templates: for and against something, against prejudice, and Chinese spam. They
teach the heads that neither praise nor criticism of an institution is abuse or spam. No model is evaluated on
them: the tests have templates of their own.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random

import numpy as np
from attrs import evolve, frozen

from sesame_social.classifier import entity_masking, features
from sesame_social.classifier.entity_masking import PhraseTable
from sesame_social.classifier.normalize import Bools, Floats
from sesame_social.training.datasets import NEITHER, LabelledText

#: Pairs of synthetic texts for each language, and the weight of each for abuse in English.
_PAIRS, _SYNTHETIC_WEIGHT = 3000, 0.5
#: Weight of an ordinary message or comment for abuse in English: davidson has few posts without abuse.
_ORDINARY = 0.1
#: Trust in the head that separates comments from messages: it was trained on two sites only.
_TRUST = 0.4
#: Files with the phrases of each sign.
_FILES = {
    entity_masking.THING: ("things_en", "things_zh"),
    entity_masking.PEOPLE: ("people_en", "people_zh"),
    entity_masking.PERSON: ("persons_en", "persons_zh"),
    entity_masking.INSULT: ("insults_en",),
    entity_masking.COARSE: ("coarse_en",),
}
_MANNERS = {
    "advice": entity_masking.ADVICE,
    "step": entity_masking.STEP,
    "reason": entity_masking.REASON,
    "example": entity_masking.EXAMPLE,
    "against": entity_masking.AGAINST,
    "call": features.CALL,
    "mine": features.MINE,
    "media": features.MEDIA,
    "gain": features.GAIN,
    "link": features.LINK,
    "moment": features.MOMENT,
}
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

Piece = tuple[str, float, float, bool]


@frozen(eq=False)
class TrainingSet:
    """The training data of one head.

    Attributes:
        probability: that each text has the head's label: 0, 1 or the share of raters between.
        real: the texts that the head is calibrated on.
        strength: inverse of the regularization.
        coarse: whether coarse words are a feature. Spam has them no more often than other posts.
        trust: factor of the calibrated sums; less than 1 makes the head less certain.
    """

    texts: Sequence[str]
    probability: Floats
    weight: Floats
    real: Bools
    strength: float
    coarse: bool = False
    trust: float = 1.0


@cache
def training_phrases() -> PhraseTable:
    """All phrases that are masked or flagged in training."""
    return _make_table(_read_phrases())


@cache
def prediction_phrases() -> PhraseTable:
    """The phrases for prediction: quoted slurs are masked as people too.

    Not for training: most such posts in the data sets are abuse, and the heads would learn that of the sign.
    """
    mentions = dict(_read_named("mentions"))
    words = (f"{before} {slur}" for before in mentions["before"] for slur in mentions["slurs"])
    return _make_table(_read_phrases() | dict.fromkeys(words, entity_masking.PEOPLE))


def _read_phrases() -> dict[str, int]:
    phrases: dict[str, int] = {}
    for sign, names in _FILES.items():
        phrases |= {word: sign for name in names for line in _read_lines(name) for word in _split(line)}
    for manner, words in [pair for name in ("helpful", "tags", "against") for pair in _read_named(name)]:
        phrases |= dict.fromkeys(words, _MANNERS[manner])
    return phrases


def _make_table(phrases: Mapping[str, int]) -> PhraseTable:
    return PhraseTable.from_phrases({word: sign for word, sign in phrases.items() if len(word) > 1})


def message_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Spam and scams in messages, and in Chinese; posts about other topics are the negatives."""
    pieces = _labelled(rows, "sms") + [
        (row.text, 0.0, 0.1, False) for row in rows if row.source == "youtube" and not row.label
    ]
    pieces += _other_posts(rows, seed, 0.05, 0.1) + _linked(rows, 0.3)
    return _training_set(pieces + _chinese_spam(seed, 0.1), 64.0)


def comment_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Spam in comments. There are few such posts, so others have little weight."""
    pieces = _labelled(rows, "youtube") + _other_posts(rows, seed, 0.003, 0.05)
    return _training_set(pieces + _linked(rows, 0.018), 64.0)


def kind_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Comments against messages, spam or not."""
    pieces = [(row.text, 1.0, 1.0, True) for row in rows if row.source == "youtube"]
    pieces += [(row.text, 0.0, 0.4, True) for row in rows if row.source == "sms"]
    others = [
        (text, 0.0, weight, real)
        for text, _, weight, real in _other_posts(rows, seed, 0.1, 0.1) + _chinese_spam(seed, 0.1)
    ]
    return evolve(_training_set(pieces + others, 16.0), trust=_TRUST)


def _labelled(rows: Sequence[LabelledText], source: str) -> list[Piece]:
    return [(row.text, float(row.label), 1.0, True) for row in rows if row.source == source]


def _other_posts(rows: Sequence[LabelledText], seed: int, weight: float, ours: float) -> list[Piece]:
    """Posts that are no spam: of other sets, and synthetic texts for and against something."""
    random = _random(seed)
    others = [row.text for row in rows if row.source == "cold" or _harmless(row)]
    fewer = min(_PAIRS // 3, len(rows))
    made_up = _synthetic("en", random, fewer, ours) + _synthetic("zh", random, fewer, ours)
    return [(text, 0.0, weight, False) for text in random.sample(others, min(len(others), 3000))] + made_up


def _linked(rows: Sequence[LabelledText], weight: float) -> list[Piece]:
    """Harmless posts with a link: nearly all messages and comments with a link are spam."""
    return [(row.text, 0.0, weight, False) for row in rows if _harmless(row) and "http" in row.text]


def _harmless(row: LabelledText) -> bool:
    return row.source == "davidson" and row.label == NEITHER


def _chinese_spam(seed: int, weight: float) -> list[Piece]:
    bad, good = make_chinese_spam(400, _random(seed))
    return [(text, 1.0, weight, False) for text in bad] + [(text, 0.0, weight, False) for text in good]


def english_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Abuse in English, by the majority of raters; messages and comments are negatives too."""
    pieces = [(row.text, float(row.label != NEITHER), 1.0, True) for row in rows if row.source == "davidson"]
    clean = [row.text for row in rows if row.source in ("sms", "youtube") and not row.label]
    pieces += [(text, 0.0, _ORDINARY, False) for text in clean]
    # Without speakers: davidson's own posts begin with ``RT @user``, whatever their label.
    pieces += _synthetic("en", _random(seed), min(_PAIRS, len(rows)), _SYNTHETIC_WEIGHT, voiced=False)
    return _training_set(pieces, 8.0, coarse=True)


def hate_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:  # noqa: ARG001
    """Hate among abuse, by the majority of raters."""
    abuse = [row for row in rows if row.source == "davidson" and row.label != NEITHER]
    return _training_set([(row.text, float(row.label == 0), 1.0, True) for row in abuse], 2.0, coarse=True)


def chinese_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Abuse in Chinese."""
    pieces = [(row.text, float(row.label), 1.0, True) for row in rows if row.source == "cold"]
    return _training_set(pieces + _synthetic("zh", _random(seed), min(_PAIRS, len(rows)), 4.0), 8.0)


#: In the order of `HEADS`.
TRAINING_SETS = (message_set, comment_set, kind_set, english_set, hate_set, chinese_set)


def _synthetic(
    language: str, random: Random, pairs: int, weight: float, *, voiced: bool = True
) -> list[Piece]:
    return [(text, 0.0, weight, False) for text in make_neutral_texts(language, pairs, random, voiced=voiced)]


def _random(seed: int) -> Random:
    """Make the random generator of synthetic texts; it need not be secure."""
    return Random(seed)  # noqa: S311


def _training_set(pieces: Sequence[Piece], strength: float, *, coarse: bool = False) -> TrainingSet:
    texts, probability, weight, real = zip(*pieces, strict=True)
    return TrainingSet(texts, np.array(probability), np.array(weight), np.array(real), strength, coarse)


def _read_lines(name: str) -> list[str]:
    text = (files(__package__) / "words" / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _read_named(name: str) -> list[tuple[str, list[str]]]:
    """Read lines of the form ``name: word, word``."""
    return [(label, _split(rest)) for label, _, rest in (line.partition(":") for line in _read_lines(name))]


def _split(line: str) -> list[str]:
    return [word.strip() for word in line.split(",") if word.strip()]


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
