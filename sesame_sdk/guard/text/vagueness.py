"""Does a text say anything? "Score too low", "various reasons" and a single word do not.

Made for what people are told: reasons, aims, parameters of a ranking. It sees English and Chinese, and
through the same spellings as the lexical check; elsewhere it only counts words.
"""

import re
from functools import lru_cache

from sesame_sdk.guard.text.normalize import TooLongError, joined, readings, skeleton
from sesame_sdk.guard.text.regex_trie import alternatives

#: What a score is called. As a parameter of a ranking it says something; as a reason it does not.
SCORE = "score scores scored scoring point points rating ratings ranking rank sesame"
SCORE_CHINESE = "分数 分數 评分 評分 得分 积分 積分 信用分 芝麻分 总分 總分"
_EMPTY = f"""
    {SCORE} too very low lower lowest high higher highest bad poor good enough insufficient sufficient
    other others another various miscellaneous misc several some any all more different certain
    internal external policy policies rule rules terms term conditions condition guidelines guideline
    standard standards criteria criterion requirements requirement threshold thresholds limit level
    reason reasons cause causes factor factors ground grounds basis general generic overall usual
    system systems model models algorithm algorithms automatic automatically automated computer machine
    assessment assessments evaluation decision decisions result results outcome calculation analysis
    behaviour behavior conduct activity activities data information details item items signal signals value
    values kind kinds category thing things something anything everything stuff matter matters purpose
    purposes use used usage business company operator provider confidential secret proprietary
    undisclosed hidden unknown unspecified none nothing null nil na tba tbd todo test example
    etc positive negative adverse risk profile history record records status
    met meet meets failed fails fail apply applies applied based due according per see read refer check
    the a an of to on in for from with without by at as and or not no your you our we us their they it its
    this that these those which who what is are was were be been has have had do does did done well
    doings issue issues incident incidents experience event events note notes noted trouble undesired
    unwanted violation violations breach breaches flag flags flagged staff house quality taken deducted
    deduction penalty penalties feedback code site https http www com ask know shown showed set team adverse
    better best improve improves improved improving improvement serve serves serving service services make
    makes making because can adverse file
"""
_EMPTY_CHINESE = f"""
    {SCORE_CHINESE} 太低 过低 過低 偏低 不足 不够 不夠 较低 較低 太高 其他 其它 各种 各種 多种 多種 若干 某些
    原因 理由 因素 内部 內部 政策 规定 規定 规则 規則 条款 條款 条件 條件 标准 標準 要求 系统 系統 算法 模型
    自动 自動 综合 綜合 评估 評估 评价 評價 决定 決定 结果 結果 行为 行為 表现 表現 记录 記錄 数据 數據 信息
    资料 資料 事项 事項 用途 目的 未知 保密 机密 機密 不详 不詳 未达到 未達到 不符合 参见 參見 详见 詳見 一般
    通用 不良 良好 风险 風險 您 你 我们 我們 的 了 因 为 為 由于 由於 等 和 与 與 及 是 有 请 請 见 見 低 高
    无 無 扣分 扣分项 扣分項 违规 違規 负面 負面 事件 标记 標記 项 項 问题 問題
"""
_STANDING = """
    trust trusted trustworthy standing reputation merit merits band bands tier tiers level levels karma star
    stars best top valued status class grade grades default recommended choice before favourites vip
"""
_STANDING_CHINESE = "等级 等級 信誉 信譽 信用 优先级 優先級 默认 默認 推荐 推薦 级别 級別 会员 會員 口碑"
_EMPTY_WORDS = frozenset(map(skeleton, _EMPTY.split()))
_SCORE_WORDS = frozenset(map(skeleton, SCORE.split()))
_STANDING_WORDS = frozenset(map(skeleton, _STANDING.split()))
_NAMES_SCORE = re.compile(alternatives(SCORE_CHINESE.split()))
_NAMES_STANDING = re.compile(alternatives(_STANDING_CHINESE.split()))
_SAYS_NOTHING = re.compile(f"(?:{alternatives(_EMPTY_CHINESE.split())})*+")
_LATIN = re.compile("[a-z0-9]+")
#: Words, or characters of a script that writes none apart, of the shortest text that may say something.
_FEWEST_WORDS, _FEWEST_LETTERS = 2, 4


@lru_cache(maxsize=1024)
def says_nothing(text: str, name: str = "") -> bool:
    """Whether `text` tells a person nothing: too short, all generic, or only the dotted `name` again."""
    ways = _ways(text)
    short = bool(ways) and _is_short(ways[0])
    return short or is_generic(text) or any(_repeats(words, name) for words in ways)


@lru_cache(maxsize=1024)
def is_generic(text: str) -> bool:
    """Whether every word of `text` could stand beside anything."""
    return any(map(_all_empty, _ways(text)))


@lru_cache(maxsize=1024)
def names_the_score(text: str) -> bool:
    """Whether `text` speaks of the score."""
    return _speaks(text, _SCORE_WORDS, _NAMES_SCORE)


@lru_cache(maxsize=1024)
def names_a_standing(text: str) -> bool:
    """Whether `text` speaks of what may be the score under another name, or of no order at all."""
    return _speaks(text, _STANDING_WORDS, _NAMES_STANDING)


def _speaks(text: str, listed: frozenset[str], chinese: re.Pattern[str]) -> bool:
    ways = _ways(text)
    spoken = any(skeleton(word) in listed for words in ways for word in (*words, *joined(words)))
    return spoken or any(chinese.search("".join(words)) for words in ways)


def _ways(text: str) -> list[list[str]]:
    """The readings of `text`; none of what is too long, which the lexical check refuses and says so."""
    try:
        return readings(text)
    except TooLongError:
        return []


def _is_short(words: list[str]) -> bool:
    return len(words) < _FEWEST_WORDS and len(_other(words)) < _FEWEST_LETTERS


def _all_empty(words: list[str]) -> bool:
    latin = filter(_LATIN.fullmatch, words)
    return all(map(_is_empty, latin)) and bool(_SAYS_NOTHING.fullmatch(_other(words)))


def _other(words: list[str]) -> str:
    return "".join(word for word in words if not _LATIN.fullmatch(word))


def _is_empty(word: str) -> bool:
    return len(word) == 1 or word.isdigit() or skeleton(word) in _EMPTY_WORDS


def _repeats(words: list[str], name: str) -> bool:
    """Whether the words are those of a name, or some of them that stand together."""
    return f" {' '.join(words)} " in f" {' '.join(re.split('[.-]', name))} "
