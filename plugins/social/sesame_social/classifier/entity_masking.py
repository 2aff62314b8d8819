"""Replaces names of states, parties, faiths, firms and places by one sign before a post is classified.

So two posts that differ only in the name are equal to every head, whatever the heads have learned. Other
phrases only set flags: whether a post refers to persons, in what manner it helps, and the tags of spam.

Rules:
1. A phrase in Han is found anywhere; any other is a whole word or several.
2. The longest name counts, and adjacent names are one name.
3. A thing (`THING`) and the people of a faith or a side (`PEOPLE`) have two signs: criticism of a party is
   not criticism of its members.
"""

from collections.abc import Mapping

import numpy as np
from attrs import evolve, frozen

from sesame_social.classifier.features import (
    PEOPLE,
    THING,
    RollingHash,
    Tags,
    count_units,
    find_patterns,
    hash_words,
    select_tags,
)
from sesame_social.classifier.normalize import (
    DIGIT,
    HAN,
    LETTER,
    Bools,
    Floats,
    Hashes,
    Ints,
    NormalizedText,
    Units,
    character_classes,
    normalize,
)

#: Signs that only set flags: references to persons, four manners of helping, words against prejudice, coarse
#: words, and those of them that refer to persons; words of blame and of praise, negations, hostile words,
#: words that condemn prejudice, and groups that are not masked.
FLAGGED = (
    PERSON,
    ADVICE,
    STEP,
    REASON,
    EXAMPLE,
    AGAINST,
    COARSE,
    INSULT,
    BLAME,
    PRAISE,
    NEGATION,
    HOSTILE,
    CONDEMNING,
    GROUP,
) = tuple(range(0xE010, 0xE01E))
#: Number of columns of `tone_features`.
TONES = 14
_AT = ord("@")
#: The longest phrase, in words.
_MAX_PHRASE_WORDS = 5
#: Han characters that refer to persons anywhere.
_PERSONS = np.zeros(1 << 16, dtype=bool)
_PERSONS[[ord(character) for character in "人女男妈爹爷奶婆娘佬鬼狗婊逼屌奸贱妓你您他她"]] = True
#: Han characters that blame, praise or negate by themselves.
_TONES = {
    sign: np.array([ord(character) for character in characters], dtype=np.uint16)
    for sign, characters in ((BLAME, "恨杀蠢贱滚揍脏臭骚逼屠咒"), (PRAISE, "爱赞美祝"), (NEGATION, "不没别"))
}


@frozen(eq=False)
class PhraseTable:
    """The phrases to find, by sorted hash alone, and the sign of each.

    `lengths` has those of the phrases that begin with a Han character, in units, longest first. `starts` says
    whether any phrase begins with a pair of units (`_pair_numbers`), and `tops` whether any hash begins with
    these 16 bits, which avoids most look-ups.
    """

    hashes: Hashes
    signs: Units
    lengths: Ints
    starts: Bools
    tops: Bools

    @classmethod
    def from_phrases(cls, phrases: Mapping[str, int]) -> "PhraseTable":
        """Make a table from phrases of two units or more, and their signs."""
        text = {phrase: normalize([phrase]).units[1:-1] for phrase in phrases}
        hashed = {phrase: _hash_all(units) for phrase, units in text.items()}
        order = sorted(phrases, key=lambda phrase: hashed[phrase])
        hashes = np.array([hashed[phrase] for phrase in order], dtype=np.uint64)
        starts, tops = np.zeros(1 << 16, dtype=bool), np.zeros(1 << 16, dtype=bool)
        starts[[_pair_numbers(units)[0] for units in text.values()]] = True
        tops[hashes >> np.uint64(48)] = True
        signs = np.array([phrases[phrase] for phrase in order], dtype=np.uint16)
        han = {len(units) for units in text.values() if character_classes()[units[0]] == HAN}
        lengths = np.array(sorted(han, reverse=True), dtype=np.int64)
        return cls(hashes, signs, lengths, starts, tops)


@frozen(eq=False)
class MaskedText:
    """A batch with a sign in place of each name, whether each post has each sign, and the tags of spam."""

    text: NormalizedText
    flags: Mapping[int, Bools]
    tags: Tags


def mask_entities(text: NormalizedText, phrases: PhraseTable) -> MaskedText:
    """Replace names, and persons addressed by ``@``, by signs; set flags for other phrases."""
    begins, ends, signs = _find_phrases(text.units, phrases)
    post = np.searchsorted(text.starts, begins, side="right") - 1
    names = signs < PERSON
    size = len(text.units) + 1
    steps = np.bincount(begins[names], minlength=size) - np.bincount(ends[names], minlength=size)
    covered = np.cumsum(steps)[:-1] > 0
    flags = {}
    for sign in (THING, PEOPLE, *FLAGGED):
        flags[sign] = np.zeros(len(text.starts) - 1, dtype=bool)
        flags[sign][post[signs == sign]] = True
    flags[PERSON] |= flags[INSULT] | flags[GROUP] | (count_units(text, _PERSONS[text.units]) > 0)
    flags[BLAME] |= flags[COARSE] | flags[INSULT]
    if (character_classes()[text.units] == HAN).any():
        for sign, characters in _TONES.items():
            flags[sign] |= count_units(text, np.isin(text.units, characters) & ~covered) > 0
    # An insult within a name does not count: in "he called me X", that is X.
    flags[COARSE][post[(signs == INSULT) & ~covered[begins]]] = True
    first = covered.copy()
    first[1:] &= ~covered[:-1]
    units = text.units.copy()
    units[begins[names][::-1]] = signs[names][::-1]  # the longest came first: its sign stays
    masked = evolve(text, units=units).select(~covered | first)
    return MaskedText(masked, flags, select_tags(begins, signs, post))


def tone_features(flags: Mapping[int, Bools]) -> Floats:
    """(N, `TONES`) zeros and ones: blame, praise and negation, beside people or things."""
    blame, praise, negation = flags[BLAME], flags[PRAISE], flags[NEGATION]
    people, thing = flags[PEOPLE], flags[THING]
    columns = (
        blame,
        praise,
        negation,
        blame & negation,
        blame & people,
        blame & ~people & ~thing,
        blame & people & negation,
        praise & people & ~blame & ~negation,
        praise & people & negation,
        people & ~praise & ~blame & ~negation,
        blame & praise,
        flags[AGAINST],
        flags[COARSE],
        flags[COARSE] & (people | flags[PERSON]),
    )
    return np.array(columns, dtype=np.float64).T


def _find_phrases(units: Units, phrases: PhraseTable) -> tuple[Ints, Ints, Units]:
    """Find phrases, the longest first: begin, end and sign of each."""
    sums, starts = RollingHash(units), phrases.starts[_pair_numbers(units)]
    places = np.flatnonzero(starts & (character_classes()[units] == HAN))
    spans = [_find_addressed(units)]
    for length in phrases.lengths if len(places) else ():
        begins = places[: np.searchsorted(places, len(units) - length)]
        spans.append(_look_up(begins, begins + length, sums, phrases))
    words = hash_words(units, sums)
    spans.append(find_patterns(units, words))
    possible = starts[words.begins]
    for more in range(min(_MAX_PHRASE_WORDS, len(possible)) - 1, -1, -1):
        first = np.flatnonzero(possible[: len(possible) - more])
        spans.append(_look_up(words.begins[first], words.ends[first + more], sums, phrases))
    firsts, lasts, signs = zip(*spans, strict=True)
    return np.concatenate(firsts), np.concatenate(lasts), np.concatenate(signs)


def _look_up(begins: Ints, ends: Ints, sums: RollingHash, phrases: PhraseTable) -> tuple[Ints, Ints, Units]:
    hashes = sums.hash_spans(begins, ends)
    candidates = np.flatnonzero(phrases.tops[hashes >> np.uint64(48)])
    at = np.minimum(np.searchsorted(phrases.hashes, hashes[candidates]), len(phrases.hashes) - 1)
    matches = phrases.hashes[at] == hashes[candidates]
    matched = candidates[matches]
    return begins[matched], ends[matched], phrases.signs[at[matches]]


def _find_addressed(units: Units) -> tuple[Ints, Ints, Units]:
    """Find ``@name``, from the sign to the end of the word."""
    classes = character_classes()[units]
    inside = (classes == LETTER) | (classes == DIGIT)
    begins = np.flatnonzero((units[:-1] == _AT) & inside[1:])
    outside = np.flatnonzero(~inside)
    ends = outside[np.searchsorted(outside, begins + 1)]
    return begins, ends, np.full(len(begins), PEOPLE, dtype=np.uint16)


def _pair_numbers(units: Units) -> Units:
    """Number each pair of a unit and the next."""
    result = units * np.uint16(31)
    result[:-1] += units[1:] * np.uint16(257)
    return result


def _hash_all(units: Units) -> int:
    return int(RollingHash(units).hash_spans(np.array([0]), np.array([len(units)]))[0])
