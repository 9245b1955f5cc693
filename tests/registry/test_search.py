"""Search: by code, number, name of two characters and more, former name, place, trade; and by class with the right only."""

import pytest

from registry import database
from registry.errors import BadCursor
from registry.models import Entity
from registry.services import entities, grading, ledger, search
from registry.services.search import Query, TooVague
from tests.conftest import TODAY
from tests.factories import credit_code, record, registered

NAMES = (
    "信衡晨光食品有限公司",
    "信衡市晨光(北方)食品厂",
    "信衡暮色餐饮店",
    "50%折扣_商行",
    "信衡“老字号”糕点铺",
    "XINHENG TRADING CO",
    "信衡A·B工贸",
    "O'Neil信衡*酒业",
)


@pytest.fixture
def named(settings):
    return {name: registered(name=name) for name in NAMES}


def found(text="", *, limit=50, after=None, with_class=False, **given):
    return search.page(Query(q=text, **given), scheme="general-risk", with_class=with_class, after=after, limit=limit)


def names(*given, **more):
    return {item["name"] for item in found(*given, **more).items}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("晨光", {NAMES[0], NAMES[1]}),
        ("暮色餐饮", {NAMES[2]}),
        ("食品", {NAMES[0], NAMES[1]}),
        ("光晨", set()),
        ("晨食", set()),
        ("(北方)", {NAMES[1]}),
        ("（北方）食品", {NAMES[1]}),
        ("晨光北方", {NAMES[1]}),
        ("光(北", {NAMES[1]}),
        ("老字号", {NAMES[4]}),
        ("xinheng trading", {NAMES[5]}),
        ("Ａ·Ｂ", {NAMES[6]}),
        ("AB工贸", {NAMES[6]}),
        ("O'Neil", {NAMES[7]}),
        ("衡*酒", {NAMES[7]}),
        ("50%折", {NAMES[3]}),
        ("折扣_商", {NAMES[3]}),
        ("折%扣", {NAMES[3]}),
        ("不存在", set()),
        (" 晨 光 ", {NAMES[0], NAMES[1]}),
        ("\x00晨光", {NAMES[0], NAMES[1]}),
    ],
)
def test_a_name_is_found_by_any_part_of_two_characters_or_more(named, text, expected):
    assert names(text) == expected


@pytest.mark.parametrize("text", ["晨", "%", "%折", "_*", "()", '""', "'", "·", "%%%", "\x00" * 15, "\x00\x00"])
def test_too_little_to_go_by_is_refused_with_the_remedy(named, text):
    with pytest.raises(TooVague, match="at least two characters"):
        found(text)


@pytest.mark.parametrize(
    "text", ["* OR *", '" OR "信衡', "信衡' OR '1'='1", '信衡" NEAR "暮色', "信衡) UNION SELECT (1"]
)
def test_no_text_breaks_out_of_its_quotation_marks(named, text):
    assert names(text) == set()


def test_an_entity_is_found_by_a_name_that_it_had(settings):
    code = credit_code()
    entity = registered(code, name="信衡旧日有限公司")
    registered(code, name="信衡新生有限公司")
    for text in ("旧日", "新生"):
        (item,) = found(text).items
        assert (item["id"], item["name"]) == (entity, "信衡新生有限公司")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("xhcg", {NAMES[0]}),
        ("XHCG", {NAMES[0]}),
        ("cgsp", {NAMES[0]}),
        ("xhscg", {NAMES[1]}),
        ("xinhengchenguang", {NAMES[0]}),
        ("chenguang", {NAMES[0], NAMES[1]}),
        ("chen guang", {NAMES[0], NAMES[1]}),
        ("muse", {NAMES[2]}),
        ("xinheng trading", {NAMES[5]}),
        ("trading", {NAMES[5]}),
        ("henc", set()),
        ("gspy", {NAMES[0]}),
        ("xxqq", set()),
    ],
)
def test_a_name_is_found_by_its_initials_and_by_how_it_is_read(named, text, expected):
    assert names(text) == expected


@pytest.mark.parametrize("text", ["changsha", "cssp", "chongqing", "yuechi", "yinhang"])
def test_characters_with_several_readings_are_read_as_in_the_names_that_people_know(settings, text):
    registered(name="信衡市长沙食品重庆银行")
    registered(name="信衡乐驰商贸")
    assert len(names(text)) == (0 if text == "yuechi" else 1)


@pytest.mark.parametrize("text", ["質量強國", "质量强国", "質量强国"])
def test_traditional_and_simplified_characters_find_each_other(settings, text):
    registered(name="信衡質量強國商行")
    registered(name="信衡质量强国饭店")
    assert names(text) == {"信衡質量強國商行", "信衡质量强国饭店"}


def test_two_simplified_names_stay_two(settings):
    registered(name="信衡日昇商行")
    registered(name="信衡日升商行")
    assert names("日昇") == {"信衡日昇商行"}
    assert names("日升") == {"信衡日升商行"}


def test_an_entity_is_found_by_its_organisation_code(settings):
    code = credit_code()
    entity = registered(code)
    registered()
    for text in (code[8:17], f"{code[8:16]}-{code[16]}", code[8:17].lower()):
        assert [item["id"] for item in found(text).items] == [entity]


def test_an_entity_is_found_once_even_by_two_of_its_names(settings):
    code = credit_code()
    registered(code, name="信衡晨光一厂")
    registered(code, name="信衡晨光二厂")
    assert len(found("晨光").items) == 1


def test_an_entity_is_found_by_its_code_and_by_its_old_number(settings):
    code = credit_code()
    entity = registered(code)
    database.execute("UPDATE entity SET registration_no = ? WHERE id = ?", ("330000000063296", entity))
    for text in (code, f" {code.lower()} ", "330000000063296", "３３００００００００６３２９６"):
        assert [item["id"] for item in found(text).items] == [entity]
    assert found(credit_code()).items == []


def test_a_name_with_as_many_letters_as_a_code_is_searched_as_a_name(settings):
    for name in ("ABCDEFGHIJKLM", "ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNOPQR"):
        entity = registered(name=name)
        assert [item["id"] for item in found(name).items][-1] == entity


def test_divisions_and_trades_are_prefixes(settings):
    for division, industry in (("990102", 1300), ("990102", 1391), ("990203", 5200), ("880101", 131)):
        registered(credit_code(division=division), division=division, industry=industry)
    assert len(found(division="99").items) == 3
    assert len(found(division="990102").items) == 2
    assert [item["industry"] for item in found(industry="13").items] == [1300, 1391]
    assert [item["industry"] for item in found(industry="1391").items] == [1391]
    assert [item["division"] for item in found(divisions=("8801", "9902")).items] == ["990203", "880101"]


def test_kinds_filter_and_filters_add_up(named):
    registered(credit_code("92"), subject="individual", name="信衡晨光小店")
    assert names("晨光", kind="individual") == {"信衡晨光小店"}
    assert names("晨光", kind="individual", division="11") == set()


@pytest.fixture
def two_classes(settings):
    scheme = grading.scheme_named(settings)
    good, bad = registered(), registered()
    record(bad, "serious_listing")
    grading.due(scheme, day=TODAY)
    return good, bad


def test_the_class_is_shown_and_filtered_on_with_the_right_only(two_classes):
    good, bad = two_classes
    shown = {item["id"]: item["class"] for item in found(with_class=True).items}
    assert shown[bad] == "D" != shown[good]
    assert [item["id"] for item in found(class_="D", with_class=True).items] == [bad]
    without = found(class_="D")
    assert [item["id"] for item in without.items] == [good, bad]
    assert not [item for item in without.items if "class" in item]


def test_pages_neither_skip_nor_repeat_even_while_entities_are_added(settings):
    wanted = [registered(name=f"信衡晨光{number}店") for number in range(7)]
    seen, after, pages = [], None, 0
    while True:
        page = found("晨光", limit=3, after=after)
        seen += [item["id"] for item in page.items]
        pages, after = pages + 1, page.next
        if pages == 1:
            wanted.append(registered(name="信衡晨光新店"))
        if after is None:
            break
    assert (seen, pages) == (wanted, 3)


def test_a_page_costs_one_query_whatever_the_size(named, count_queries):
    for number in range(30):
        registered(name=f"信衡晨光{number}店")
    costs = []
    for limit in (1, 30):
        with count_queries() as queries:
            found("晨光", limit=limit, with_class=True)
        costs.append(len(queries))
    assert costs == [1, 1]


def test_a_token_that_is_not_ours_is_refused(named):
    for token in ("x", "W10", "!!", "WyJhIl0"):
        with pytest.raises(BadCursor):
            found("晨光", after=token)


def test_a_provisional_entity_is_listed_and_marked(settings):
    with ledger.writing(now=0, schemes=[]) as pen:
        entities.provisional(pen, [entities.Party(code=credit_code(), name="信衡未登记商行")])
    (item,) = found("未登记").items
    assert item["provisional"] in (1, True)
    assert Entity.get().provisional is True
