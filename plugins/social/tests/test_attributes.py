"""Each attribute is found in phrasings that no template of the training has, and ordinary posts have none."""

from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier import Attribute, Model, classify
from sesame_social.training import training_sets

SPEECH = Path(__file__).parent / "speech"


def load_section(language: str, name: str) -> list[str]:
    """The sentences of a section, written for the tests."""
    part = (SPEECH / f"attributes_{language}.txt").read_text("utf-8").partition(f"[{name}]\n")[2]
    return part.partition("[")[0].splitlines()


#: Least share that is suspected of abuse; these are what is reached, and the model card says so.
FOUND = {("en", "threat"): 0.26, ("en", "insult"): 0.66, ("zh", "threat"): 0.42, ("zh", "insult"): 0.75}


@pytest.mark.parametrize(("language", "section"), FOUND)
def test_threats_and_insults_of_persons_are_abuse(language: str, section: str, model: Model) -> None:
    """In words that no template has."""
    texts = load_section(language, section)
    result = classify(texts, model).suspected_abuse
    assert result.mean() >= FOUND[language, section], [
        text for text, flag in zip(texts, result, strict=True) if not flag
    ]


@pytest.mark.parametrize(("language", "most"), [("en", 0.0), ("zh", 0.05)])
def test_ordinary_posts_are_not_abuse(language: str, most: float, model: Model) -> None:
    """The same words in another sense, criticism of institutions, profanity without a target, and reports."""
    texts = load_section(language, "ordinary")
    result = classify(texts, model).suspected_abuse
    assert result.mean() <= most, [text for text, flag in zip(texts, result, strict=True) if flag]


def test_a_threat_an_insult_and_profanity_are_told_apart(model: Model) -> None:
    """Each has its own probability; profanity alone is no abuse."""
    threat, insult, coarse = (
        "I will find you and kill you",
        "you are a stupid idiot",
        "holy shit, it works again",
    )
    probability = classify([threat, insult, coarse], model).probability
    assert np.argmax(probability[Attribute.THREAT]) == 0
    assert np.argmax(probability[Attribute.INSULT]) == 1
    assert probability[Attribute.PROFANITY][2] > 0.9
    assert not classify([coarse], model).suspected_abuse[0]


def test_a_scam_is_spam(model: Model) -> None:
    """And an advertisement is no scam."""
    result = classify(["You have won a 1000 prize! Call 09061234567 to claim now", "see you tonight"], model)
    assert result.suspected[Attribute.SCAM].tolist() == [True, False]
    assert (result.probability[Attribute.SCAM] <= result.spam).all()


GROUPS = {
    "en": ("women", "trans people", "gay people", "black people", "disabled people", "Muslims", "immigrants"),
    "zh": ("女人", "跨性别者", "同性恋", "黑人", "残疾人", "穆斯林", "外国人"),
}
NEUTRAL = {
    "en": """{} came to our choir last week
I sat beside some {} at the dentist
There is a museum about {} in Oslo
{} often write to this newspaper
My cousin works with {}
I asked two {} for the way
{} cook very well in that restaurant, I recommend it
How kind of those {} to carry my bags
I look up to {} who run marathons
{} taught me how to sew""",
    "zh": """上周{}来了我们合唱团
我在牙医那里坐在几个{}旁边
奥斯陆有一个关于{}的博物馆
{}常给这份报纸写信
我表弟和{}一起工作
我向两个{}问了路
那家餐馆的{}做饭很好吃,推荐
那些{}真热心,帮我提了包
我很佩服跑马拉松的{}
{}教会了我缝衣服""",
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_naming_a_group_is_no_abuse(language: str, model: Model) -> None:
    """Neutral and friendly sentences about seven groups: one in seventy at most is suspected."""
    texts = [frame.format(group) for frame in NEUTRAL[language].splitlines() for group in GROUPS[language]]
    result = classify(texts, model)
    for name in (Attribute.TOXICITY, Attribute.IDENTITY_ATTACK):
        flagged = [text for text, flag in zip(texts, result.suspected[name], strict=True) if flag]
        assert len(flagged) <= 0.015 * len(texts), flagged


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sentences_here_are_of_no_template(language: str) -> None:
    """Neither whole nor with the words of a template filled in."""
    ends = ".!?\uff01\u3002\u2026"
    made = {
        text.strip(ends).lower() for text, _ in training_sets.make_abuse(language, training_sets.Random(1))
    }
    ours = {text for name in ("threat", "insult", "ordinary") for text in load_section(language, name)}
    ours |= {frame.format(group) for frame in NEUTRAL[language].splitlines() for group in GROUPS[language]}
    assert not {text.strip(ends).lower() for text in ours} & made
