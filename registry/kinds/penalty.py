"""Penalty 行政处罚: one decision of one organ against one party. Template 双公示 of 2015, 2018 and 2021."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from registry.cells import CellError
from registry.cells.amounts import confiscated_in_words, fen_in_words
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.cells.width import half_width
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term

# Administrative Penalty Law 2021, Art. 9, in its order. The order is not the weight: see HEAVIEST_FIRST.
KINDS: dict[str, tuple[int, str]] = {
    "warning": (1, "警告"),
    "criticism": (2, "通报批评"),
    "fine": (3, "罚款"),
    "confiscated_gains": (4, "没收违法所得"),
    "confiscated_goods": (5, "没收非法财物"),
    "suspended_licence": (6, "暂扣许可证件"),
    "lowered_qualification": (7, "降低资质等级"),
    "revoked_licence": (8, "吊销许可证件"),
    "restricted_business": (9, "限制开展生产经营活动"),
    "stopped_business": (10, "责令停产停业"),
    "closed": (11, "责令关闭"),
    "barred_from_trade": (12, "限制从业"),
    "detention": (13, "行政拘留"),
    "other": (14, "其他行政处罚"),
    "none": (0, "不予行政处罚"),
}
# Which kind stands for a decision that imposes several: what ends the business first, what nobody has named last.
# The law orders its kinds by nature and not by weight, so this order is a product default 产品默认值.
HEAVIEST_FIRST = (
    "closed", "revoked_licence", "barred_from_trade", "stopped_business", "restricted_business",
    "lowered_qualification", "detention", "suspended_licence", "confiscated_goods", "confiscated_gains", "fine",
    "criticism", "warning", "other", "none",
)  # fmt: skip
# What stands in free text and in older templates, longest first. 2015 codes are digits of their own column.
WORDS: tuple[tuple[str, str], ...] = (
    ("没收违法所得", "confiscated_gains"), ("没收非法所得", "confiscated_gains"),
    ("没收非法财物", "confiscated_goods"), ("没收", "confiscated_goods"), ("暂扣", "suspended_licence"),
    ("降低资质", "lowered_qualification"), ("吊销", "revoked_licence"), ("限制开展生产经营", "restricted_business"),
    ("停产停业", "stopped_business"), ("责令关闭", "closed"), ("限制从业", "barred_from_trade"), ("行政拘留", "detention"),
    ("通报批评", "criticism"), ("警告", "warning"), ("罚款", "fine"), ("其他", "other"),
)  # fmt: skip
CODES_2015 = {"1": "warning", "2": "fine", "3": "confiscated_gains", "4": "stopped_business", "5": "suspended_licence", "6": "detention", "9": "other"}  # fmt: skip

# The Administrative Penalty Law of 2021 in force: its kinds are names, and the digits of 2015 mean nothing any more.
NEW_LAW = date(2021, 7, 15)

# Lower fine 较低数额罚款 for a legal person: below 100,000 yuan (local example: Hubei). Provinces set their own.
LOWER_FINE_FEN = 100_000_00
# Huge fine: no national figure; product default 产品默认值.
HUGE_FINE_FEN = 1_000_000_00
# NDRC credit-repair measure (in force 2026-04-01): revocation and restriction are serious, as in Order 44 Art. 2.
SERIOUS = frozenset({7, 8, 9, 10, 11, 12, 13})
MINOR = frozenset({1, 2, 3})


# Parts of a text that name a penalty and impose none.
_SPARED = re.compile(r"(?:不予|免予|免于)(?:以|给予)?(?:行政)?处罚")
_NOT_IMPOSED = re.compile(
    r"(?:(?:不予|免予|免于)(?:给予|并处)?|不给予|免除|不再|暂不|暂缓|不适用|不作|不(?=并处|处|吊销|没收|罚款|暂扣|责令|降低|限制)(?:并处)?)"
    r"(?:(?!并处|并罚|但|改为|给予|决定)[^,。;:])*"
    # What the law says of other cases; the case in hand is 情节严重的情形 or 情节严重的行为, without a comma.
    r"|情节(?:特别|较为|比较|较)?(?:严重|恶劣|重)的(?:[,、:]|(?=[处并吊责罚没暂降由可给]))(?:(?!决定)[^。;])*"
    r"|(?:不|未)(?:按期|按时|依法)?缴纳罚款|每日按罚款[^,。;]*|加处罚款"
)
_TITLE = re.compile(r"《[^《》]*》")
_BASIS = re.compile(r"依据|根据|依照|按照")
# The word that begins what is imposed (本决定 and 决定书 begin nothing), or the next of several numbered decisions.
_DECIDED = re.compile(
    r"(?<![本该此])(?<![本该此]处罚)(?<![本该此]行政处罚)(?P<decided>决定)(?!书|之日|的|送达|生效)|[,。;][一二三四五六七八九十]+、"
)


def kinds_in(text: str) -> list[str]:
    """Penalty kinds 处罚种类 that a free text imposes, each once, in the order of the law.

    What the text only names does not count: 不予吊销, what the law says of graver cases (情节严重的，吊销许可证), titles of
    instruments, and the basis (依据…, 根据…) where a 决定 follows it. ``["none"]`` where all that is said is 不予行政处罚.
    """
    plain = _without_bases(_TITLE.sub("《》", re.sub(r"\s+", "", half_width(text))))
    rest = _NOT_IMPOSED.sub(" ", _SPARED.sub(" ", plain))
    found: set[str] = set()
    for word, kind in WORDS:
        if word in rest:
            found.add(kind)
            rest = rest.replace(word, " ")
    if not found and _SPARED.search(plain):
        return ["none"]
    return sorted(found, key=lambda kind: KINDS[kind][0])


def _without_bases(plain: str) -> str:
    """The text without what stands between 依据 and the 决定 that begins what is imposed. In linear time."""
    last_named = max(plain.rfind(word) for word in (*(word for word, _ in WORDS), "处罚"))
    kept, at = [], 0
    while (basis := _BASIS.search(plain, at)) and (end := _DECIDED.search(plain, basis.end())):
        # A 决定 behind which no penalty is named is not the one that imposes.
        imposes = end["decided"] and end.end() < last_named
        kept.append(plain[at : basis.start()] + "。" if imposes else plain[at : end.end()])
        at = end.end()
    return "".join(kept) + plain[at:]


# What separates the kinds in one cell; and how long a part may be that is a word and not a sentence of a decision.
_SEPARATOR = re.compile(r"[、,;/|+\s]+")
LONGEST_WORD = 12


def words_unread(value: object) -> list[str]:
    """Words of a column of kinds 处罚类别 that name none that we know, as given, personal data masked; of a sentence none.

    A text of which no part is known is kept whole, up to 200 characters.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        return []
    found: dict[str, None] = {}
    for text in texts:
        plain = half_width(text).strip() if isinstance(text, str) else ""
        if plain in KINDS or plain in CODES_2015:
            continue
        parts = [part for part in _SEPARATOR.split(plain) if part]
        unread = [part for part in parts if not kinds_in(part)]
        if len(unread) == len(parts) and parts:
            found[mask_personal(plain)[:200]] = None
        elif all(len(part) <= LONGEST_WORD for part in parts):
            found |= dict.fromkeys(map(mask_personal, unread))
    return list(found)


class PenaltyKinds(fields.Field[list[str]]):
    """A list of kinds by name (`fine`), Chinese term (罚款) or 2015 code; or one text with several, as templates have."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValidationError('Give a list of penalty kinds, for example ["fine"] or ["罚款"].')
        found: set[str] = set()
        for part in parts:
            text = part.strip()
            if text in KINDS:
                found.add(text)
            elif text in CODES_2015:
                found.add(CODES_2015[text])
            elif text:
                named = kinds_in(text)
                if not named and not isinstance(value, str):
                    raise ValidationError(f"{text!r} is not a penalty kind. Kinds are: {', '.join(KINDS)}.")
                # A file may name a kind that nobody knows: it must not vanish beside the others.
                found.update(named or ["other"])
        return sorted(found, key=lambda kind: KINDS[kind][0])


class PenaltySchema(RecordSchema):
    PAST = ("decided_on",)

    decided_on = Day(
        load_default=None,
        allow_none=True,
        metadata={
            "sees": "public",
            "description": "Day of the decision 处罚决定日期. Without one the record is kept but never counted",
        },
    )
    violation = Text(
        2000, load_default="", metadata={"sees": "public", "description": "Type of violation 违法行为类型"}
    )
    fact = Text(20000, load_default="", metadata={"sees": "regulator", "description": "Facts 违法事实"})
    basis = Text(4000, load_default="", metadata={"sees": "public", "description": "Legal basis 处罚依据"})
    kinds = PenaltyKinds(
        load_default=list,
        metadata={
            "sees": "public",
            "type": "array",
            "items": {"type": "string"},
            "description": "Penalty kinds 处罚类别: "
            + ", ".join(f"{name} {term}" for name, (_, term) in KINDS.items()),
        },
    )
    content = Text(8000, load_default="", metadata={"sees": "public", "description": "What was decided 处罚内容"})
    fine_fen = Fen(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Fine in fen 罚款金额; empty: read from `content`"},
    )
    confiscated_fen = Fen(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Confiscated, in fen 没收金额"}
    )
    licence = Text(
        200,
        load_default="",
        metadata={"sees": "public", "description": "Licence suspended or revoked 暂扣或吊销证照名称及编号"},
    )
    valid_until = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "End of the penalty's validity 处罚有效期"},
    )
    publish_until = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "End of publication 公示截止期"}
    )
    organ_code = Text(
        18,
        load_default="",
        metadata={"sees": "public", "description": "Credit code of the organ 处罚机关统一社会信用代码"},
    )
    source_organ = Text(
        200, load_default="", metadata={"sees": "regulator", "description": "Organ that supplied the data 数据来源单位"}
    )
    source_organ_code = Text(
        18,
        load_default="",
        metadata={"sees": "regulator", "description": "Its credit code 数据来源单位统一社会信用代码"},
    )

    @post_load(pass_original=True)
    def _keep_words(self, data: dict[str, Any], original: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"kind_words": words_unread(original.get("kinds"))}

    @validates_schema(pass_original=True)
    def _digits_are_of_their_time(self, data: dict[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        given, on = original.get("kinds"), data.get("decided_on")
        parts = [given] if isinstance(given, str) else given or []
        digits = [part.strip() for part in parts if isinstance(part, str) and part.strip() in CODES_2015]
        if digits and on is not None and (why := KIND.lists[1].refusal(digits[0], on)):
            raise ValidationError({"kinds": [f"{why} Since then kinds are words: write 罚款 or `fine`."]})

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        decided = data.get("decided_on")
        for name, term in (
            ("publish_until", "End of publication 公示截止期"),
            ("valid_until", "End of validity 处罚有效期"),
        ):
            if decided and data.get(name) and data[name] < decided:
                raise ValidationError(
                    {name: [f"{term} {data[name]} lies before the decision of {decided}. Correct one of the two days."]}
                )

    @validates_schema
    def _words_and_columns_agree_about_the_unit(self, data: dict[str, Any], **_: Any) -> None:
        for name, term, read in _SAID_TWICE:
            column = data.get(name)
            try:
                said = read(data.get("content", ""))
            except CellError as error:
                raise ValidationError({"content": [f"{error.what}. {error.remedy}"]}) from error
            if not said or not column or said == column:
                continue
            if column == said * _WAN:
                raise ValidationError(
                    {name: [_SHIFTED.format(term, "the column", "the content 处罚内容", "元", "万元")]}
                )
            if column * _WAN == said:
                raise ValidationError(
                    {name: [_SHIFTED.format(term, "the content 处罚内容", "the column", "万元", "元")]}
                )


# A text is read when it is checked and again when it is stated; and in a file the same few decisions come again and again.
_fine_in, _confiscated_in = lru_cache(2_048)(fen_in_words), lru_cache(2_048)(confiscated_in_words)
# Amounts that have a column and may also stand in the words of the decision.
_SAID_TWICE: tuple[tuple[str, str, Callable[[str], int | None]], ...] = (
    ("fine_fen", "fine 罚款金额", _fine_in),
    ("confiscated_fen", "amount confiscated 没收金额", _confiscated_in),
)
_WAN = 10_000
_SHIFTED = (
    "The {0} in {1} is 10,000 times that in {2}. The unit of the column is probably {3}, not {4}: correct the unit, or "
    "the one of the two that is wrong."
)


def severity_of(code: int, kinds: list[int], fine_fen: int) -> int:
    """0 none, 1 minor, 2 general, 3 serious, from the kinds and the fine (DOMAIN: Order 107 and the NDRC measure)."""
    if code == 0:
        return 0
    if SERIOUS.intersection(kinds) or fine_fen >= HUGE_FINE_FEN:
        return 3
    return 1 if MINOR.issuperset(kinds) and fine_fen < LOWER_FINE_FEN else 2


def state(data: dict[str, Any]) -> Statement:
    kinds: list[str] = data["kinds"] or kinds_in(data["content"])
    fine, confiscated = data["fine_fen"], data["confiscated_fen"]
    said = _fine_in(data["content"]) if fine is None else fine
    unread = said is None and "罚款" in data["content"] and kinds != ["none"]
    fine = said or 0
    if confiscated is None:
        confiscated = _confiscated_in(data["content"]) or 0
    unnamed = not kinds and not fine
    if not kinds:
        kinds = ["fine"] if fine else ["other"]
    codes = [KINDS[kind][0] for kind in kinds]
    code = KINDS[min(kinds, key=HEAVIEST_FIRST.index)][0]
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    days: dict[str, date | None] = {name: data[name] for name in ("valid_until", "publish_until")}
    texts = (
        "violation",
        "fact",
        "basis",
        "content",
        "licence",
        "organ_code",
        "source_organ",
        "source_organ_code",
        "remark",
    )
    detail: dict[str, Any] = {
        "kinds": kinds,
        "fine_fen": fine,
        "confiscated_fen": confiscated,
        "printed_no": data["document_no"],
    }
    if unread:  # a fine is named and its amount could not be read: 0 is not what was decided, and the record says so
        detail["amount_unread"] = True
    if unnamed:  # nothing says what was imposed: it counts as minor until somebody does
        detail["kind_unread"] = True
    if words := data.get("kind_words"):
        detail["kind_words"] = words
    detail |= {name: data[name] for name in texts if data[name]}
    detail |= {name: day.isoformat() for name, day in days.items() if day}
    return Statement(
        "penalty", code, 1 if unnamed else severity_of(code, codes, fine), fine + confiscated, data["decided_on"], None,
        document_no, organ, key_of("penalty", fold_name(organ), document_no, data), detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    terms = "、".join(KINDS[kind][1] for kind in detail.get("kinds", ()))
    if detail.get("kind_words"):
        terms += f"（{'、'.join(detail['kind_words'])}）"
    names = ", ".join(kind.replace("_", " ") for kind in detail.get("kinds", ()))
    yuan = f"{row['amount_fen'] / 100:,.2f}"
    why = detail.get("violation") or detail.get("content", "")
    return Label(
        f"{terms or '行政处罚'}{f' {yuan} 元' if row['amount_fen'] else ''}{f'：{why}' if why else ''}",
        f"{(names or 'penalty').capitalize()}{f', {yuan} yuan' if row['amount_fen'] else ''}",
    )


def noted(statement: Statement) -> list[tuple[str, str]]:
    """Kinds whose word nobody knows, and fines that could not be read."""
    detail = statement.detail
    counts = "其他行政处罚" if "other" in detail["kinds"] else "none of them"
    text = "names no kind of penalty that is known; it is kept as it stands, and counts as"
    found = [("处罚类别", f"'{word}' {text} {counts}") for word in detail.get("kind_words", ())]
    if detail.get("amount_unread"):
        found.append(("罚款金额", "a fine is named and its amount cannot be read; it counts as 0"))
    return found


KIND = Kind(
    "penalty", 2, Label("行政处罚", "Penalty"), PenaltySchema, state, line,
    projects=Projection(
        code=f"heaviest penalty kind, by weight {' > '.join(str(KINDS[name][0]) for name in HEAVIEST_FIRST)}: "
        + ", ".join(f"{n} {term.removesuffix('行政处罚') if n == 14 else term}" for n, term in KINDS.values() if n)
        + ", 0 none imposed",
        severity="0 none, 1 minor 轻微, 2 general 一般, 3 serious 严重", amount="fine + confiscation", day="decided",
    ),
    lists=(
        CodeList(
            "penalty-kind-2021", Label("处罚类别", "Penalty kind"),
            {name: Term(number, term, name.replace("_", " ")) for name, (number, term) in KINDS.items()},
            "Administrative Penalty Law 2021, Art. 9", date(2021, 7, 15),
        ),
        CodeList(
            "penalty-kind-2015", Label("处罚类别（2015 版双公示）", "Penalty kind, template of 2015"),
            {code: Term(KINDS[name][0], KINDS[name][1], name.replace("_", " ")) for code, name in CODES_2015.items()},
            "双公示 template of 2015, CF_CFLB1 and CF_CFLB2; until the law of 2021 named other kinds", None, NEW_LAW,
        ),
    ),
    derived={"amount_unread": "internal", "kind_unread": "internal", "kind_words": "public"}, noted=noted,
)  # fmt: skip
