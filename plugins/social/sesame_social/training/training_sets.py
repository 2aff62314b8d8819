"""The training data of each head: texts of the data sets, with weights, and synthetic texts.

Synthetic texts are made from templates: for and against something, against prejudice, and Chinese spam. They
teach the heads that neither praise nor criticism of an institution is abuse or spam. No model is evaluated on
them: the tests have templates of their own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from random import Random

import numpy as np
from attrs import evolve, frozen

from sesame_social.classifier import entity_masking, features
from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.entity_masking import PhraseTable
from sesame_social.classifier.model import ABUSE_ATTRIBUTES, BITS, LANGUAGES
from sesame_social.classifier.normalize import Bools, Floats, NormalizedText, encode, join
from sesame_social.classifier.spelling import respell
from sesame_social.training.datasets import NEITHER, SITE, LabelledText

#: Pairs of synthetic texts for each language.
_PAIRS = 3000
#: Trust in the head that separates comments from messages: it was trained on two sites only.
_TRUST = 0.4
#: Files with the phrases of each sign.
_FILES = {
    features.THING: ("things_en", "things_zh"),
    features.PEOPLE: ("people_en", "people_zh", "groups_en", "groups_zh"),
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
_TONES = {
    "negative": entity_masking.BLAME,
    "positive": entity_masking.PRAISE,
    "negation": entity_masking.NEGATION,
}
#: Sections with one sentence a line.
_SENTENCE_SECTIONS = frozenset(
    (
        "[frame]",
        "[voice]",
        "[speech]",
        "[quoted]",
        "[composed]",
        "[ham]",
        "[hate]",
        "[group_threat]",
        "[threat]",
        "[abuse]",
        "[group_abuse]",
        "[ordinary]",
        "[positive]",
        "[things]",
        "[coarse]",
        "[everyday]",
        "[emoji_hate]",
        "[emoji_threat]",
        "[emoji_ordinary]",
    )
)
#: Texts against prejudice: whole, with a slur quoted to condemn it (in Chinese; in English that cost half a
#: point of F1 and helped little), or composed of parts, which are the most.
_SECTIONS = ("speech", "quoted", "composed", "composed")
_SLOTS = ("group", "slur", "act", "condemn", "scene")
#: Share of them with another ending.
_SHARE_WITH_ENDING = 0.3
#: Share of texts for and against something that quote a speaker: abuse of people does so too.
_SHARE_VOICED = 0.4

#: Weight of each set for abuse. Hatecheck is small, and is made to teach contrasts; messages and comments are
#: ordinary posts, of which davidson has few.
_WEIGHTS = {
    "hatecheck-en": 3.0,
    "hatecheck-zh": 6.0,
    "hatemoji": 2.0,
    "edos": 1.5,
    "davidson": 1.0,
    "cold": 1.0,
    "sms": 0.5,
    "youtube": 0.5,
}
#: Weight of a post that the site's moderators labelled: of several posts of the sets, whose labels may
#: contradict it.
_SITE_WEIGHT = 10.0
#: Factor for coarse posts that are not sexist: many of them abuse somebody.
_COARSE_WEIGHT = 0.7
#: Weight of a synthetic text for or against something or against prejudice, and of one that contrasts abuse.
_NEUTRAL_WEIGHT = {"en": 0.3, "zh": 1.0}
#: Heads that take sides otherwise: words of disgust at institutions are those of abuse.
_RAISED_WEIGHT = {
    ("en", Attribute.TOXICITY): 2.0,
    ("zh", Attribute.TOXICITY): 3.0,
    ("zh", Attribute.IDENTITY_ATTACK): 3.0,
}
_ABUSE_WEIGHT = 1.5
_ABUSE_STRENGTH = {"en": 6.0, "zh": 4.0}
#: A word is known if so many posts have it.
_MIN_POSTS = 5
#: Number of synthetic texts of each section, and the sections that have each attribute.
_ABUSE_SECTIONS = {
    "hate": 1800,
    "group_threat": 500,
    "threat": 1000,
    "abuse": 1400,
    "group_abuse": 150,
    "ordinary": 1900,
    "positive": 1500,
    "things": 450,
    "coarse": 300,
    "everyday": 1000,
    "emoji_hate": 600,
    "emoji_threat": 250,
    "emoji_ordinary": 800,
}
_SECTIONS_OF = {
    Attribute.TOXICITY: ("hate", "group_threat", "threat", "abuse", "emoji_hate", "emoji_threat"),
    Attribute.IDENTITY_ATTACK: ("hate", "group_threat", "emoji_hate", "emoji_threat"),
    Attribute.INSULT: ("abuse",),
    Attribute.THREAT: ("group_threat", "threat", "emoji_threat"),
    Attribute.PROFANITY: (),
}
_ENDINGS = {"en": ("", "", ".", ".", "!", "?", "!!", " lol"), "zh": ("", "", "。", "。", "！", "…")}  # noqa: RUF001
_PERSONS = re.compile(
    r"\b(?:you|ya|u|him|her|them|they|we|us|people|guys|friends|everyone|everybody|someone|@\w+)\b",
    re.IGNORECASE,
)
_SLOT, _ARTICLE = re.compile(r"\{(\w+)\}"), re.compile(r"\b([Aa]) (?=[aeiou])")

Piece = tuple[str, float, float, bool]
_AbusePiece = tuple[str, float, float, bool, tuple[LabelledText | None, str]]


@frozen(eq=False)
class TrainingSet:
    """The training data of one head.

    Attributes:
        probability: that each text has the head's label: 0, 1 or the share of raters between.
        real: the texts that the head is calibrated on.
        strength: inverse of the regularization.
        coarse: whether coarse words are a feature. Spam has them no more often than other posts.
        trust: factor of the calibrated sums; less than 1 makes the head less certain.
        origins: the row that each text is from, if any, and its family.
        families: of each text; near copies are of one family, and are calibrated together.
    """

    texts: Sequence[str]
    probability: Floats
    weight: Floats
    real: Bools
    strength: float
    coarse: bool = False
    trust: float = 1.0
    families: Sequence[str] = ()
    origins: Sequence[tuple[LabelledText | None, str]] = ()


@cache
def training_phrases() -> PhraseTable:
    """All phrases that are masked or flagged in training."""
    return _make_table(_read_phrases())


@cache
def prediction_phrases() -> PhraseTable:
    """The phrases for prediction: quoted slurs are masked as people too, and parties named by their members.

    Not for training: most such posts in the data sets are abuse, and the heads would learn that of the sign.
    """
    mentions = dict(_read_named("mentions"))
    words = (f"{before} {slur}" for before in mentions["before"] for slur in mentions["slurs"])
    phrases = _read_phrases() | dict.fromkeys(words, features.PEOPLE)
    phrases |= dict.fromkeys(mentions["parties"], features.THING)
    return _make_table(phrases | dict.fromkeys(mentions["condemning"], entity_masking.CONDEMNING))


def _read_phrases() -> dict[str, int]:
    tones = [pair for name in ("tone_en", "tone_zh") for pair in _read_named(name)]
    phrases = {
        word: entity_masking.HOSTILE
        for name in ("hostile_en", "hostile_zh")
        for line in _read_lines(name)
        for word in _split(line)
    }
    phrases |= {word: _TONES[tone] for tone, words in tones for word in words}
    for sign, names in _FILES.items():
        phrases |= {word: sign for name in names for line in _read_lines(name) for word in _split(line)}
    groups = {word for name in _FILES[features.PEOPLE] for line in _read_lines(name) for word in _split(line)}
    phrases |= {word: entity_masking.GROUP for word in groups if phrases[word] == entity_masking.PERSON}
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
    pieces += _other_posts(rows, seed, 0.05, 0.1) + _linked(rows, 0.3) + _site(rows, Attribute.SPAM)
    return _training_set(pieces + _chinese_spam(seed, 0.1), 64.0)


def comment_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Spam in comments. There are few such posts, so others have little weight."""
    pieces = _labelled(rows, "youtube") + _other_posts(rows, seed, 0.003, 0.05) + _site(rows, Attribute.SPAM)
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


def _site(rows: Sequence[LabelledText], attribute: Attribute) -> list[Piece]:
    """The posts for which the site's moderators judged an attribute."""
    judged = [row for row in rows if attribute in row.scores]
    return [(row.text, row.scores[attribute], _SITE_WEIGHT, False) for row in judged]


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


def abuse_set(rows: Sequence[LabelledText], seed: int, language: str, attribute: Attribute) -> TrainingSet:
    """One attribute of abuse in one language: what each set teaches about it, and synthetic texts."""
    phrases = training_phrases()
    coarse = _flags([row.text for row in rows], phrases, entity_masking.COARSE)
    pieces: list[_AbusePiece] = []
    for row, is_coarse in zip(rows, coarse, strict=True):
        taught = _teach(row, attribute, language, coarse=bool(is_coarse))
        if taught is not None:
            # A site's labels are of posts that were suspected: they teach, and cannot calibrate.
            real = row.source not in ("sms", "youtube", SITE)
            pieces.append((row.text, *taught, real, (row, f"{row.source} {row.family}")))
    # Without speakers: davidson's own posts begin with ``RT @user``, whatever their label.
    made = make_neutral_texts(language, min(_PAIRS, len(rows)), _random(seed), voiced=language == "zh")
    if language == "en":
        clean = [
            row for row in rows if (row.source in ("sms", "youtube") and not row.label) or _harmless(row)
        ]
        made += name_groups([row.text for row in clean], _random(seed))
    neutral_weight = _RAISED_WEIGHT.get((language, attribute), _NEUTRAL_WEIGHT[language])
    pieces += [(text, 0.0, neutral_weight, False, (None, text)) for text in made]
    for text, section in make_abuse(language, _random(seed)):
        has_attribute = float(section in _SECTIONS_OF[attribute])
        pieces.append((text, has_attribute, _ABUSE_WEIGHT, False, (None, section)))
    texts, probability, weight, reals, origins = zip(*pieces, strict=True)
    if attribute is Attribute.PROFANITY:
        listed = _find_profanity(texts, language, phrases)
        judged = [row.scores.get(attribute) if row else None for row, _ in origins]
        probability = tuple(
            by_list if score is None else score for by_list, score in zip(listed, judged, strict=True)
        )
    families = [family for _, family in origins]
    labels = np.array(probability), np.array(weight), np.array(reals)
    return TrainingSet(texts, *labels, _ABUSE_STRENGTH[language], families=families, origins=origins)


def find_known_words(rows: Sequence[LabelledText]) -> Bools:
    """Whether each bucket has a word that several posts of different templates have."""
    texts = [row.text for row in rows if not row.source.startswith("hatecheck")]
    counts = np.zeros(1 << BITS, dtype=np.int64)
    for at in range(0, len(texts), 1000):
        words, posts = features.hash_single_words(_respelled(texts[at : at + 1000]), BITS)
        counts += np.bincount(np.unique(posts << BITS | words) & ((1 << BITS) - 1), minlength=1 << BITS)
    known: Bools = counts >= _MIN_POSTS
    return known


def _find_profanity(texts: Sequence[str], language: str, phrases: PhraseTable) -> list[float]:
    """No set has labels of coarse words: lists decide, and the head learns more forms of them."""
    if language == "en":
        return [float(mark) for mark in _flags(texts, phrases, entity_masking.COARSE)]
    words = [word for line in _read_lines("profanity_zh") for word in _split(line)]
    return [float(any(word in text.lower() for word in words)) for text in texts]


def _teach(
    row: LabelledText, attribute: Attribute, language: str, *, coarse: bool
) -> tuple[float, float] | None:
    """The probability of the attribute, and the weight of the text; None if the text teaches nothing.

    No set has all attributes. A text without the label of a set may have the attribute all the same: an
    insult of one person is neither hateful in hatecheck nor sexist in edos.
    """
    source, label, group = row.source, row.label, row.group
    if source == SITE:
        score = row.scores.get(attribute) if group == language else None
        return None if score is None else (score, _SITE_WEIGHT)
    if (source in ("cold", "hatecheck-zh")) != (language == "zh"):
        return None
    if source in ("sms", "youtube") and label:
        return None  # what spam is otherwise was not labelled
    hateful, weight = float(label), _WEIGHTS[source]
    if source == "davidson":
        hateful = float(label == 0) if attribute is Attribute.IDENTITY_ATTACK else float(label != NEITHER)
    match attribute:
        case Attribute.TOXICITY:
            if group == "target_indiv_nh":
                return 1.0, weight
            return hateful, weight * (_COARSE_WEIGHT if source == "edos" and coarse and not label else 1)
        case Attribute.IDENTITY_ATTACK:
            return hateful, weight
        case Attribute.INSULT:
            if source == "davidson":
                return (0.7, 0.2 * weight) if label != NEITHER else (0.0, weight)
            if group == "target_indiv_nh":
                return 1.0, weight
            return None if hateful or (coarse and source != "hatecheck-en") else (0.0, weight)
        case Attribute.THREAT:
            is_threat = group.startswith(("threat_", "threatening", "1. threats"))
            return float(is_threat), weight * (1 if is_threat or source.startswith("hatecheck") else 0.3)
        case _:
            return 0.0, weight


def _flags(texts: Sequence[str], phrases: PhraseTable, sign: int) -> Bools:
    """Whether each text has a phrase of a sign."""
    parts = [
        entity_masking.mask_entities(_respelled(texts[at : at + 1000]), phrases).flags[sign]
        for at in range(0, len(texts), 1000)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _respelled(texts: Sequence[str]) -> NormalizedText:
    """Normalize texts as prediction does."""
    return encode(respell(join(texts)))


def scam_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Scams: spam that promises a gain, and Chinese spam of that sort."""
    phrases, pieces = training_phrases(), []
    spam = [row for row in rows if row.source in ("sms", "youtube")]
    for at in range(0, len(spam), 1000):
        part = spam[at : at + 1000]
        tags = entity_masking.mask_entities(_respelled([row.text for row in part]), phrases).tags
        gains = np.zeros(len(part), dtype=bool)
        gains[tags.posts[tags.kinds == features.GAIN - features.TAGS[0]]] = True
        for row, gain in zip(part, gains, strict=True):
            pieces.append((row.text, float(row.label and gain), 1.0, True))
    pieces += _other_posts(rows, seed, 0.05, 0.1) + _linked(rows, 0.3) + _site(rows, Attribute.SCAM)
    return _training_set(pieces + _chinese_spam(seed, 0.1), 64.0)


_SPAM_SETS: dict[str, Callable[[Sequence[LabelledText], int], TrainingSet]] = {
    "messages": message_set,
    "comments": comment_set,
    "kind": kind_set,
    "scam": scam_set,
}
#: In the order of the heads: spam, then the attributes of abuse in English, then in Chinese.
TRAINING_SETS = _SPAM_SETS | {
    f"{language} {attribute}": partial(abuse_set, language=language, attribute=attribute)
    for language in LANGUAGES
    for attribute in ABUSE_ATTRIBUTES
}


def _synthetic(
    language: str, random: Random, pairs: int, weight: float, *, voiced: bool = True
) -> list[Piece]:
    return [(text, 0.0, weight, False) for text in make_neutral_texts(language, pairs, random, voiced=voiced)]


def make_abuse(language: str, random: Random) -> list[tuple[str, str]]:
    """Make texts that contrast abuse and ordinary posts, each with the section of its template."""
    part = load_templates(f"abuse_{language}")
    made = []
    for section, count in _ABUSE_SECTIONS.items():
        for number in range(count):
            frame = part[section][number % len(part[section])]
            text = _SLOT.sub(lambda slot: random.choice(part[slot[1]]), frame)
            if language == "en":
                text = _ARTICLE.sub(r"\1n ", text)
                text = text[0].upper() + text[1:] if random.random() < 0.5 else text
            made.append((text + random.choice(_ENDINGS[language]), section))
    return made


def name_groups(texts: Sequence[str], random: Random) -> list[str]:
    """Put a group in the place of the persons of ordinary posts: naming a group is no abuse."""
    groups = load_templates("abuse_en")["group"]
    named = []
    for text in texts:
        words = list(_PERSONS.finditer(text))
        if words:
            chosen = random.choice(words)
            named.append(f"{text[: chosen.start()]}{random.choice(groups)}{text[chosen.end() :]}")
    return named


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
