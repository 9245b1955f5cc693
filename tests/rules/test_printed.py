"""The printed scheme: everything in it, in the language asked for and in no other, with the values of the day."""

import re
from datetime import date
from pathlib import Path

import pytest

from registry.numbers import terms
from rules import expressions, words
from rules.conditions import parse
from rules.content import files_of
from rules.dated import Basis
from rules.kinds import (
    BASIS_KINDS,
    CONTEXT_AREAS,
    CONTEXT_NORMS,
    CONTEXT_VALUES,
    CYCLES,
    DIRECTIONS,
    KINDS,
    PARAMETER_UNITS,
    PUBLISHED,
    SUBJECTS,
)
from rules.measures import MEASURES
from rules.printed import LANGUAGES, printed
from rules.scheme import from_content, load, load_book, load_files
from tests.rules.frames import SCHEME, TOY

OUTER = TOY.parent / "toy_outer"
OVER = load(OUTER, inner={"toy": SCHEME})
BOOK = load_book(Path(__file__).parents[2] / "rules" / "book")
EVERY = {"toy": SCHEME, "toy-outer": OVER, **BOOK}
OLD, NEW = date(2024, 4, 30), date(2024, 10, 1)


TERMS = terms()


def page(scheme, on=NEW, lang="en", called=TERMS):
    return "\n".join(printed(scheme, on, lang, called))


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_chinese_page_holds_no_english_but_ids(name):
    scheme = EVERY[name]
    # What the book cites it names in Chinese; a toy's “Invented” has no other name.
    cited = r"《[^》]*》" if name.startswith("toy") else r"$^"
    text = re.sub(rf"\[[^\]]*\]|{cited}", "", page(scheme, lang="zh"))
    hashes = [scheme.hash[:16], *(one.hash[:12] for one in scheme.inner.values())]
    # A Chinese title may hold a name such as HACCP, which is its own.
    named = [one.title.zh for part in (scheme.groups, scheme.seconds, scheme.indicators, scheme.rules, scheme.inner)
             for one in part.values()] + [scheme.title.zh]  # fmt: skip
    named += [said for one in scheme.wanted.values() for said in (one.title.zh, one.needs.zh)]
    for own in sorted({*hashes, *named}, key=len, reverse=True):
        text = text.replace(own, "")
    classes = {*scheme.classes}
    strangers = [word for word in re.findall(r"[A-Za-z]+", text) if word not in classes]
    assert strangers == []


@pytest.mark.parametrize("name", sorted(EVERY))
def test_an_english_page_holds_no_chinese_but_what_it_cites(name):
    text = re.sub(r"“[^”]*”", "", page(EVERY[name], lang="en"))
    assert re.findall(r".{0,20}[\u3000-\u9fff\uff00-\uffef].{0,20}", text) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_part_of_a_scheme_stands_on_its_page(name, lang):
    scheme, text = EVERY[name], page(EVERY[name], lang=lang)
    parts = (scheme.groups, scheme.seconds, scheme.indicators, scheme.rules, scheme.wanted, scheme.inner)
    for part in parts:
        for one in part.values():
            assert f"{one.title.as_dict()[lang]} [{one.id}]" in text
    for tables in (scheme.steps, scheme.lookups, scheme.matrices):
        for id_ in tables:
            assert f"[{id_}]" in text
    assert not re.search(r"[{}]|None|Fraction|<[a-z]", text)


def test_values_are_those_of_the_day_with_their_days_and_their_basis():
    assert (
        "        [each] = 20 points (individual businesses 15), from 2023-01-01 to 2024-04-30 (basis: local example "
        "“Invented Art. 1”)"
    ) in page(SCHEME, OLD)
    assert "        [each] = 30 points, from 2024-05-01 on (basis: local example “Invented Art. 2”)" in page(
        SCHEME, NEW
    )
    assert (
        "        [each] = 20 分（个体工商户 15），自 2023-01-01 起至 2024-04-30 止（依据：地方实例《Invented 第1条》）"
        in (page(SCHEME, OLD, "zh"))
    )
    assert "points: 30 × ‘Penalties of general severity or above in one year’" in page(SCHEME, NEW)


def test_cuts_are_told_as_ranges_in_both_directions():
    assert "Cuts: A 0–25, B 26–50, C 51–75, D 76–100, from 2023-01-01 to 2024-08-31" in page(SCHEME, OLD)
    assert "Cuts: A 0–20, B 21–50" in page(SCHEME, NEW)
    assert "分级：AA 81–100，A 51–80，B 0–50（" in page(OVER, NEW, "zh")


def test_what_is_not_in_force_on_the_day_says_so():
    early = page(SCHEME, date(2022, 1, 1))
    assert "Cuts: nothing is in force on this day" in early
    assert "Penalised within a year [penalised]: not in force on this day" in early
    assert "▦ 折算表 [decay]：该日没有规定" in page(SCHEME, date(2022, 1, 1), "zh")


def test_the_head_says_for_whom_how_often_and_who_may_see_it():
    head = page(OVER).splitlines()[:15]
    assert "Subjects: enterprises, individual businesses" in head
    assert (
        "Members: only those that ever had a record of this kind: licence where kind of licence is food production (1)"
    ) in head
    assert "Scale: 0–100, beginning with 0; the higher, the better" in head
    assert "Cycle: quarterly" in head
    assert "Shown to the public: only where a local rule allows it and the district has switched it on" in head
    assert "Shown to the public: never" in page(SCHEME)


def test_the_page_counts_what_its_values_rest_on_and_warns_of_drafts():
    assert "数值的依据（全部时期）：规范性文件 1；标准 1；地方实例 1；征求意见稿 1；产品默认值,无法定依据 4" in page(
        OVER, lang="zh"
    )
    assert sum(1 for _ in OVER.bases()) == 8
    assert "没有法律效力，启用须由两人分别确认：[scheme.cuts]" in page(OVER, lang="zh")
    assert (
        "⚠ These values rest on a draft for comment, which is not law; two persons must confirm that: [scheme.cuts]"
        in page(OVER)
    )
    assert "⚠" not in page(SCHEME)


def test_a_page_warns_of_an_inner_scheme_that_rests_on_a_draft():
    texts = {path: raw.decode().replace('"local_example"', '"draft"') for path, raw in files_of(TOY).items()}
    over = load(OUTER, inner={"toy": load_files(texts, "toy")})
    assert "⚠ The scheme [toy], whose grade it reads, rests on a draft for comment" in page(over)


def test_rules_tell_their_effect_and_whom_they_cover():
    text = page(SCHEME)
    assert "Revoked [revoked]: where ‘State’ is revoked, not cancelled (2), the class is no better than C" in text
    assert "Cancelled [cancelled]: where ‘State’ is cancelled (3), the score is held at 20 at most" in text
    assert "points: the smaller of (5 × ‘Severity weighted by age’ + 2 × ‘Worst severity in 300 days’, 40)" in text
    assert "        only for: enterprises" in text
    assert "计分 8 × “缺年报” + 3 × “期限将满” − 9 × “首次年报距今档次”" in page(SCHEME, lang="zh")


def test_indicators_tell_what_is_counted_how_far_back_and_which_records():
    text = page(SCHEME, lang="zh")
    assert "[penalties]：近 365 日行政处罚记录条数（严重程度 不少于 一般（2））；单位：个" in text
    assert "[industry]：最近一条登记记录的行业代码查对照表 [industry] 所得，没有时为 0；单位：档" in text
    assert "[term_ending]：最近一条登记记录将在 30 日内到期或已到期为 1，否则为 0" in text
    assert "◌ 知识产权出质 [pledges]：尚缺数据，需要：知识产权部门的出质登记" in page(OVER, lang="zh")


def test_a_note_is_printed_in_its_own_language_only():
    assert "“Invented”; A city's rule)" in page(OVER)
    assert "A city's rule" not in page(OVER, lang="zh")


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("-a", "−甲", "−甲"),
        ("2 * (a + b) - 3", "2 × (甲 + 乙) − 3", "2 × (甲 + 乙) − 3"),
        ("max(a, 0) - (b - 1)", "取大（甲、0） − (乙 − 1)", "the greater of (甲, 0) − (乙 − 1)"),
        ("a - -1", "甲 − (−1)", "甲 − (−1)"),
    ],
)
def test_points_are_told_with_the_brackets_they_need(text, zh, en):
    tree = expressions.parse(text, {"a", "b"})
    assert words.points(tree, "zh", {"a": "甲", "b": "乙"}) == zh
    assert words.points(tree, "en", {"a": "甲", "b": "乙"}) == en


def test_a_filter_calls_columns_by_what_they_mean_for_the_kind():
    where = parse("code in (1, 2) and amount > 0", indicators=("code", "severity", "amount"))
    assert words.filtered(where, "annual_report", "zh") == "年度 属于 1、2 且 营业额（分） 大于 0"
    assert words.filtered(where, "a_new_kind", "en") == "code is one of 1, 2 and amount in fen is above 0"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_that_a_scheme_may_use_has_a_name(lang):
    for named, ids in (
        (words.KINDS, KINDS), (words.UNITS, PARAMETER_UNITS), (words.SUBJECT, SUBJECTS), (words.BASIS, BASIS_KINDS),
        (words.SHOWN, PUBLISHED), (words.CYCLE, CYCLES), (words.DIRECTION, DIRECTIONS), (words.CONTEXT, CONTEXT_VALUES),
        (words.NORM, (*CONTEXT_NORMS, *CONTEXT_AREAS)), (words.MEASURES, MEASURES),
    ):  # fmt: skip
        assert set(named[lang]) == set(ids)


def test_what_holds_of_most_values_is_said_once_and_beside_a_value_only_what_differs():
    text = page(BOOK["general-risk"], date(2026, 1, 1), "zh")
    lines = text.splitlines()
    assert lines[1] == "未另注明的数值：依据为产品默认值，无法定依据；自 2021-01-01 起适用"
    assert "自 2021-01-01 起" not in "\n".join(lines[2:])
    assert "（依据：产品默认值" not in text
    assert "        [points_each] = 80 分，自 2024-05-01 起" in lines
    assert "        [years] = 2 年，自 2024-05-01 起（依据：法律法规规章《国务院令第777号》）" in lines
    assert "        [points_each] = 30 points" in page(BOOK["general-risk"], date(2026, 1, 1)).splitlines()


def test_law_is_cited_by_its_chinese_name_in_a_chinese_page_and_as_it_stands_in_an_english_one():
    scheme = BOOK["general-risk"]
    assert (
        "《国家工商行政管理总局令第68号、第69号、第70号（2014年） 第68号第6条；第69号第13条；第70号第10-12条》"
    ) in page(scheme, lang="zh")
    assert "“SAIC Orders 68, 69 and 70 (2014) 68: Art. 6; 69: Art. 13; 70: Arts. 10-12”" in page(scheme)


def test_the_chinese_name_of_an_instrument_is_part_of_the_content():
    texts = {path: raw.decode() for path, raw in files_of(TOY).items()}
    named = {path: text.replace('instrument = "Invented"', 'instrument = "Invented", zh = "虚构"')
             for path, text in texts.items()}  # fmt: skip
    found = load_files(named, "toy")
    assert found.hash != SCHEME.hash
    assert from_content(found.content).hash == found.hash
    basis = next(basis for _, basis in found.bases() if basis.zh and basis.kind != "product_default")
    assert (basis.as_dict()["instrument"], basis.as_dict()["instrument_zh"]) == ("Invented", "虚构")
    assert "《虚构 第1条》" in page(found, OLD, "zh")


def test_an_instrument_without_a_chinese_name_is_cited_as_it_stands_and_a_product_default_is_called_one():
    assert Basis("Invented", "statute").as_dict()["instrument_zh"] == "Invented"
    assert Basis("Product default", "product_default").as_dict()["instrument_zh"] == "产品默认值"


@pytest.mark.parametrize("name", sorted(BOOK))
def test_everything_the_book_cites_has_a_name_in_chinese(name):
    for where, basis in BOOK[name].bases():
        assert not re.search("[A-Za-z]", basis.instrument_zh), where


def test_codes_are_told_by_name_with_their_number_and_as_numbers_where_nobody_names_them():
    scheme = BOOK["general-risk"]
    named, plain = page(scheme, lang="zh"), page(scheme, lang="zh", called={})
    assert "当“登记状态” 等于 注销（3），得分不超过 250" in named
    assert "        [cancelled] = 注销（3）" in named.splitlines()
    assert "记录条数（变更事项 等于 法定代表人（3））" in named
    assert "当“登记状态” 等于 3，得分不超过 250" in plain
    assert "记录条数（变更事项代码 等于 3）" in plain
    assert "‘Registration state’ is cancelled (3)" in page(scheme)


def test_a_flag_is_told_as_yes_and_an_amount_in_yuan():
    text = page(BOOK["general-risk"], lang="zh")
    assert "当“营业期限已届满” 等于 是（1）" in text
    assert "[capital_fen]：最近一条登记记录的注册资本，没有时为 0；单位：元" in text
    assert "        [unknown_capital] = 0 元" in text
    assert not re.search("（代码）|是一否零|分钱", text)
    assert [words.amount(fen) for fen in (0, 10_050, -5, 100_000)] == ["0", "100.50", "-0.05", "1000"]


def test_a_subject_whose_value_is_that_of_all_is_not_repeated():
    texts = {path: raw.decode().replace("individual = 15", "individual = 20") for path, raw in files_of(TOY).items()}
    assert "        [each] = 20 points, from 2023-01-01 to 2024-04-30" in page(load_files(texts, "toy"), OLD)


def test_every_number_that_is_held_against_a_named_field_is_told_by_name():
    where = parse(
        "not (code in (1, 2) or 3 = code) and severity between 1 and 2 and amount > 1 and code <> 99",
        indicators=("code", "severity", "amount"),
    )
    assert words.filtered(where, "recall", "en", TERMS) == (
        "not (kind of product is one of motor vehicle (1), consumer product (2) or food (3) is kind of product) and how it "
        "came about is between voluntary (1) and after an investigation (2) and amount in fen is above 1 and kind of "
        "product is not 99"
    )


def test_a_constant_is_called_what_the_indicator_it_is_held_against_calls_it():
    tree = parse("a = x or b between y and 3 or x in (z, w)", indicators=("a", "b", "x"), parameters=("y", "z", "w"))
    called = {"a": {1: "one"}, "b": {2: "two"}, "x": {}}
    assert words.meant(tree, called) == {"x": {1: "one"}, "y": {2: "two"}}
