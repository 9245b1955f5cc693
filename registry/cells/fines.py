"""What a decision in words imposes: 处五千元罚款, 没收违法所得123元，并处罚款3万元. Values are in yuan.

Every amount in the text is found first; what stands right before and right after it says whether it is a fine, a
confiscation, or neither. An amount without such words is never taken for a fine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from registry.cells.numerals import CHARACTERS, number
from registry.cells.width import half_width

# From the start of a run only, atomic and possessive: a long run of digits without 元 costs linear time.
_NUMBER = rf"(?<![0-9.{CHARACTERS}])(?:(?>[0-9]+(?:,[0-9]{{3}})*(?:\.[0-9]+)?)|[{CHARACTERS}])++"
_ONE = rf"[0-9{CHARACTERS}]"
_AMOUNT = re.compile(
    rf"(?:人民币|RMB|CNY|¥)*(?:\(?大写\)?:?)?"
    rf"(?:(?P<number>{_NUMBER})(?:元|圆|块)(?:人民币)?[整正]?(?:(?P<jiao>{_ONE})角)?(?:零?(?P<cent>{_ONE})分)?[整正]?"
    rf"|(?<=¥)(?P<signed>{_NUMBER})"
    rf"|(?P<wan>{_NUMBER})(?<=万)(?=[,。;、)]|的|罚款|$))"
)
_TOTAL_WORD = "共计|合计|总计|累计|总共|共|计"
_FILL = (
    rf"(?:人民币|RMB|¥|金额|数额|{_TOTAL_WORD}|为|是|以|了|各|分别|即|[:(]|(?<=款),(?=共|合|计|即|金额)|每[^,。;、]{{1,8}}"
    rf"|(?:(?:违法|非法)所得|少缴税款|不缴或者少缴的税款|偷税数额|货值金额)?的?[0-9.{CHARACTERS}]+(?:倍|%)的?(?:罚款)?)*"
)
_STRONG = re.compile(rf"(?:罚款|罚金|处罚|(?<!惩)罚){_FILL}$")
_WEAK = re.compile(rf"(?<![办事服务代表管理四等])处{_FILL}$")
_NAMED_AFTER = re.compile(r"\)?的?(?:行政)?罚[款金]")
_CLAUSE_END = re.compile(r"\)?的?(?:行政处罚|处罚)?(?:[,。;、.)]|$)")
_LIMIT_AFTER = re.compile(r"以上|以下|以内|之间|至|到|[-~—]")
_LIMIT_BEFORE = re.compile(r"(?:至|到|不超过|不低于|最高|最低|以上|[-~—])(?:人民币|¥)*$")
_PAID = re.compile(r"(?:缴纳|上缴|补缴|交纳|缴清|退还|退赔|退回|[缴交])(?:罚款|罚金)?(?:了|人民币|¥|共计|的|:)*$")
_SPARED = re.compile(r"(?:不予|免予|免于|不再|免除|暂缓)(?:行政)?(?:处罚|处以|罚款)")
_CONFISCATED = re.compile(
    r"没收(?:你单位|你公司|当事人)?的?(?:全部)?(?:违法|非法)(?:所得|收入|财物)(?:款|款项)?"
    r"(?:(?:、|和|及)(?:没收)?(?:违法|非法)(?:所得|收入|财物))*"
    rf"(?:\([^()]*?(?:违法|非法)所得)?(?:人民币|¥|金额|价值|折价|{_TOTAL_WORD}|为|是|[:(])*$"
)
_TOTAL = re.compile(
    rf"(?:{_TOTAL_WORD})(?:并?处以?|处?罚款|处罚|人民币|金额|为|是|[:¥])*$|罚款(?:{_TOTAL_WORD})[:为]?$"
)
_BOTH = re.compile(r"罚没[款金]?[^,。;]{0,6}$")
_RESTATED = re.compile(r"(?:\(?(?:大写|小写|即|¥|人民币|RMB|[:,=])*)?")
_LISTED = re.compile(r"、|和|及|以及")
_APIECE = re.compile(r"每(?!日|天|逾期)|分别")


_REACH = 160  # characters before an amount that may say what it is; keeps hostile text cheap


@dataclass(slots=True)
class _Found:
    start: int
    end: int
    value: Decimal | None  # None: the characters make no number, or two statements of one amount differ
    kind: str = ""  # "fine", "confiscated" or "" for neither
    total: bool = False
    apiece: bool = False


def fines_in(text: str) -> Decimal | None:
    """The sum of the fines in ``text`` in yuan; None when there is none or it cannot be told (see ``fen_in_words``)."""
    plain = _prepared(text)
    alone = _AMOUNT.fullmatch(plain.strip("。.;:()"))
    if alone is not None:
        return _value(alone)
    amounts = _read(plain)
    fines = [amount for amount in amounts if amount.kind == "fine"]
    confiscates = "没收" in plain
    settled: list[Decimal] = []
    waiting: list[_Found] = []  # fines since the last total
    for amount in amounts:
        if amount.total and (amount.kind == "fine" or (waiting and not confiscates)):
            if amount.value is None:
                return None
            if waiting:
                settled.append(amount.value)
                waiting = []
            elif amount.value != sum(settled):  # else: the grand total of totals already counted
                settled.append(amount.value)
        elif amount.kind == "fine":
            waiting.append(amount)
    if not fines or any(amount.value is None or amount.apiece for amount in waiting):
        return None
    return sum(settled, Decimal(0)) + sum((a.value for a in waiting if a.value is not None), Decimal(0))


def confiscated_in(text: str) -> Decimal | None:
    """The sum of the confiscated amounts in ``text`` in yuan; None when there is none or one cannot be read."""
    values = [amount.value for amount in _read(_prepared(text)) if amount.kind == "confiscated"]
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(values) else None


def _prepared(text: str) -> str:
    return re.sub(r"\s+", "", half_width(text)).replace("﹒", ".")


def _value(match: re.Match[str]) -> Decimal | None:
    whole = number(match["number"] or match["signed"] or match["wan"])
    jiao, cent = number(match["jiao"] or "0"), number(match["cent"] or "0")
    if whole is None or jiao is None or cent is None or jiao > 9 or cent > 9:
        return None
    return whole + jiao / 10 + cent / 100


def _read(plain: str) -> list[_Found]:
    """Every amount of the text with its meaning; one that is said twice in a row counts once."""
    amounts: list[_Found] = []
    for match in _AMOUNT.finditer(plain):
        value = _value(match)
        if amounts and _RESTATED.fullmatch(plain, amounts[-1].end, match.start()):
            last = amounts[-1]
            last.value = last.value if value == last.value else None
            last.end = match.end() + plain[match.end() :].startswith(")")
            continue
        amounts.append(_Found(match.start(), match.end(), value))
    for i, amount in enumerate(amounts):
        before = plain[amounts[i - 1].end if i else 0 : amount.start + len(_sign(plain, amount.start))]
        follows = amounts[i + 1].start if i + 1 < len(amounts) else None
        _judge(amount, plain, before, follows)
    for first, second in zip(reversed(amounts[:-1]), reversed(amounts[1:]), strict=True):
        # 处三千元、五千元罚款: what the last of a list is, the others are.
        if _in_one_list(plain, first, second) and not first.kind:
            first.kind = second.kind
    for first, second in pairwise(amounts):
        if _in_one_list(plain, first, second):
            second.kind = second.kind or first.kind
            first.apiece = second.apiece = False  # 分别处三千元、五千元: each is named
    return amounts


def _in_one_list(plain: str, first: _Found, second: _Found) -> bool:
    listed = _LISTED.fullmatch(plain, first.end, second.start) is not None
    return listed and not _limited(plain, first) and not _limited(plain, second)


def _sign(plain: str, start: int) -> str:
    match = re.compile(r"(?:人民币|RMB|CNY|¥)*").match(plain, start)
    return match.group() if match else ""


def _limited(plain: str, amount: _Found) -> bool:
    before = plain[max(0, amount.start - 8) : amount.start]
    return _LIMIT_AFTER.match(plain, amount.end) is not None or _LIMIT_BEFORE.search(before) is not None


def _judge(amount: _Found, plain: str, before: str, follows: int | None) -> None:
    sentence = re.split(r"[。;]", before[-_REACH:])[-1]
    clause = re.split(r"[,。;]", sentence)[-1]
    if _limited(plain, amount) or _PAID.search(sentence) or _SPARED.search(clause):
        return
    amount.total = _TOTAL.search(sentence) is not None and _BOTH.search(sentence) is None
    named = _NAMED_AFTER.match(plain, amount.end)
    if amount.total and "没收" in plain and "罚" not in clause and not named:
        amount.total = False  # 没收…元，并处…元罚款，共计…元 is the sum of both
        return
    amount.apiece = _APIECE.search(clause) is not None and not amount.total
    # In 没收3000元罚款5000元 the word between the two belongs to the second.
    owned = named is not None and (follows is None or not re.fullmatch(_FILL, plain[named.end() : follows]))
    if _CONFISCATED.search(sentence):
        amount.kind = "confiscated"
    elif _BOTH.search(sentence):
        return
    elif (
        _STRONG.search(sentence)
        or owned
        or (_WEAK.search(sentence) and (named or _CLAUSE_END.match(plain, amount.end)))
    ):
        amount.kind = "fine"
