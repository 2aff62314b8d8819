"""Which side a post takes makes no difference; the model learned from none of the templates here."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier import Model, Predictions, classify
from sesame_social.classifier.predict import POST_KINDS
from sesame_social.training import training_sets

ABOUT = {
    "en": (
        "The current administration, Our local council, The Ministry of Finance, Brazil, South Korea, "
        "the state of Ruritania, Hinduism, the Orthodox Church, Scientology, Samsung, "
        "Boeing, Glorbex Industries, "
        "the Unity Party, the Conservatives, the Left, Xi Jinping, Putin, "
        "Joe Biden, the EU, NATO, Germany, Islam, "
        "Zoroastrianism, the Pirate Party, Starbucks, Lumora Airlines"
    ),
    "zh": (
        "现任政府, 财政部, 巴西, 德国, 鲁里坦尼亚, 印度教, 东正教, 拜火教, 三星, "
        "波音, 格洛克公司, 团结党, 保守党, 左派, 普京, 拜登, "
        "欧盟, 北约, 中国共产党, 国民党, 伊斯兰教, 海盗党, 星巴克, 这个国家, 美国政府, 台湾当局"
    ),
}
SIDES = {
    "en": """has done wonders for ordinary families | has ruined ordinary families
deserves our full support | deserves nothing but contempt
is the best choice we have | is the worst choice we have
keeps its promises | breaks its promises
makes me proud | makes me sick
tells the truth | lies all the time
must stay | must go
is fantastic and I love it | is awful and I hate it
cares about the poor | robs the poor
should be celebrated | should be ashamed
gets my vote, five stars | gets a thumbs down, one star
is heroic | is disgusting
has smart leaders | has idiotic leaders
is honest | is a pack of thieves
saved this nation | destroyed this nation
is good | sucks
is a gift to mankind | is a plague on mankind
rocks | stinks
is sound | is trash""",
    "zh": """为老百姓做了很多好事 | 害苦了老百姓
值得我们全力支持 | 只配被唾弃
是我们最好的选择 | 是我们最坏的选择
信守承诺 | 背信弃义
让我自豪 | 让我作呕
说的都是真话 | 满口谎言
必须留下 | 必须下台
太好了,我爱它 | 太差了,我恨它
关心穷人 | 压榨穷人
应该被表扬 | 应该感到羞耻
我投赞成票 | 我投反对票
很英雄 | 很恶心
领导层很聪明 | 领导层很白痴
很诚实 | 就是一群强盗
拯救了大家 | 毁了大家
真行 | 真是狗屎
是人类之光 | 是人类之耻
太棒了 | 太恶心了
靠得住 | 是垃圾""",
}
FRAMES = {
    "en": """{} {}.
In my opinion, {} {}.
Let's be honest: {} {}
After watching the debate tonight I'm convinced that {} {}.
#politics {} {}!!!
{} {}, change my mind
My dad always told me {} {}
Say what you want, {} {}. Share if you agree
My mother always said {} {}
As a woman and a voter I believe {} {}
Girls in my class say {} {}
Every gay man I know says {} {}
My black friends tell me {} {}
Old men on TV keep saying that {} {}
RT @news: {} {}""",
    "zh": """{}{}。
在我看来,{}{}
老实讲:{}{}
看完今晚的辩论,我确信{}{}。
#时政# {}{}!!!
{}{},不服来辩
我爸常说{}{}
随便你们怎么说,{}{}。同意的转发
有没有人跟我一样觉得{}{}?
作为女人,我认为{}{}
没人敢说,但是{}{}
外国人也承认{}{}
每个中国人都知道{}{}
我的黑人朋友说{}{}
今天和男同事聊天,他说{}{}""",
}
SPEECH = Path(__file__).parent / "speech"


def pairs(language: str) -> list[tuple[str, str]]:
    """Posts for and against, the same but for the side."""
    sides = [line.split(" | ") for line in SIDES[language].splitlines()]
    about = ABOUT[language].split(", ")
    return [
        (frame.format(thing, good), frame.format(thing, bad))
        for frame, thing, (good, bad) in product(FRAMES[language].splitlines(), about, sides)
    ]


def against_prejudice(language: str) -> dict[str, list[str]]:
    """Speech against prejudice: sentences, frames filled with groups, and slurs quoted to condemn them."""
    part: dict[str, list[str]] = {}
    for line in (SPEECH / f"against_prejudice_{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = part.setdefault(line.strip("[]"), [])
        elif line:
            section.append(line)
    groups, slurs = (part[name][0].split(", ") for name in ("group", "slur"))
    return {
        "sentence": part["sentence"],
        "frame": [frame.replace("{}", group) for frame, group in product(part["frame"], groups)],
        "quoted": [frame.replace("{}", slur) for frame, slur in product(part["quoted"], slurs)],
    }


@pytest.fixture(scope="module", params=list(product(["en", "zh"], POST_KINDS)), ids="-".join)
def judged(request: pytest.FixtureRequest, model: Model) -> tuple[Predictions, Predictions]:
    """The labels of posts for, and of posts against: 7,410 pairs a language, each kind of post."""
    language, kind = request.param
    both = pairs(language)
    assert len(both) >= 2_000
    return classify([one for one, _ in both], model, kind), classify(
        [other for _, other in both], model, kind
    )


@pytest.mark.parametrize("output", ["suspected_spam", "suspected_abuse", "helpful"])
def test_neither_side_is_flagged_more(output: str, judged: tuple[Predictions, Predictions]) -> None:
    """By one point at most; and praise or criticism alone in half a per cent at most."""
    good, bad = (np.mean(getattr(side, output)) for side in judged)
    assert abs(good - bad) <= 0.01
    assert max(good, bad) <= 0.005


def test_the_name_in_a_post_makes_no_difference(model: Model) -> None:
    """Names that are known are one and the same to every head."""
    for other in ("Russia", "the Vatican", "Huawei", "Japan"):
        result = classify(
            [f"I think {name} is a disgrace to us all" for name in ("China", other.split()[-1])], model
        )
        assert result.spam[0] == result.spam[1]
        assert result.abuse[0] == result.abuse[1]


#: How many may be taken for abuse. None should be; these are what is reached, and the model card says so.
TAKEN_FOR_ABUSE = {
    ("en", "sentence"): 3,
    ("en", "frame"): 0,
    ("en", "quoted"): 0,
    ("zh", "sentence"): 0,
    ("zh", "frame"): 0,
    ("zh", "quoted"): 2,
}


@pytest.mark.parametrize(("language", "sort"), TAKEN_FOR_ABUSE)
def test_speech_against_prejudice_is_not_taken_for_prejudice(language: str, sort: str, model: Model) -> None:
    """Written for the test: 50 sentences, 400 from frames, and slurs that are condemned, in each language."""
    texts = against_prejudice(language)[sort]
    result = classify(texts, model).suspected_abuse
    assert result.sum() <= TAKEN_FOR_ABUSE[language, sort], [
        text for text, flag in zip(texts, result, strict=True) if flag
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_speech_here_is_not_that_of_the_training(language: str) -> None:
    """No frame is shared."""
    learned = training_sets.load_templates(f"templates_{language}")
    frames = {frame for sort in ("speech", "quoted", "composed") for frame in learned.get(sort, [])}
    ours = SPEECH.joinpath(f"against_prejudice_{language}.txt").read_text("utf-8").splitlines()
    assert not {line.replace("{}", "").strip(" .。") for line in ours} & {
        frame.replace("{group}", "").replace("{slur}", "").strip(" .。") for frame in frames
    }


def test_abuse_of_people_is_still_found(model: Model) -> None:
    """A classifier that flags nothing would be neutral, and of no use."""
    result = classify(["you are a stupid bitch", "shut up you dumb faggot", "黑人都是垃圾,恶心的黑鬼"], model)
    assert result.suspected_abuse.all()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_templates_here_are_not_those_of_the_training(language: str) -> None:
    """No frame is shared, nor any text."""
    learned = training_sets.load_templates(f"templates_{language}")["frame"]
    ours = {frame.replace("{}", "").strip() for frame in FRAMES[language].splitlines() if frame != "{} {}."}
    assert not ours & {frame.replace("{thing}", "").replace("{mood}", "").strip() for frame in learned} - {
        "。"
    }
