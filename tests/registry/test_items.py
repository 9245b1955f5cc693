"""The list of items: versions, days, copies for a checklist, and the list that is shipped."""

from datetime import date

import pytest
from marshmallow import ValidationError

from registry.models import Audit, InspectionItem, Label
from registry.services import items, shipped_items
from registry.services.items import UnknownItem
from registry.services.register_forms import ItemFields
from registry.services.registers import RegisterRefused, VersionConflict
from tests.conftest import TODAY
from tests.registry.registering import ITEM, desk, item, label


def load(**given):
    return ItemFields().load({**ITEM, **given})


def test_a_change_names_the_version_that_it_saw(settings):
    row, outcome = items.save(load(), desk=desk())
    assert (row.version, outcome) == (1, "stored")
    assert items.save(load(), version=7, desk=desk())[1] == "unchanged"
    row, _ = items.save(load(minutes=90), version=1, desk=desk())
    assert (row.version, row.minutes, row.harm[0]["from"]) == (2, 90, "2024-01-01")
    for seen in (None, 1):
        with pytest.raises(VersionConflict) as error:
            items.save(load(minutes=30), version=seen, desk=desk())
        assert error.value.context["version"] == 2
    assert items.save(load(minutes=30), blind=True, desk=desk())[0].version == 3
    verbs = [row.verb for row in Audit.select().order_by(Audit.id)]
    assert verbs == ["item.added", "item.changed", "item.changed"]


def test_a_task_gets_copies_with_the_weight_of_its_day(on_sqlite):
    harm = [{"from": f"{year}-01-01", "weight": weight, "basis": "x"} for year, weight in ((2024, 300), (2026, 500))]
    item("Y01", harm=harm)
    item("Y02")
    assert [one["code"] for one in items.named(["Y02", "Y01", "Y02"], TODAY)] == ["Y02", "Y01"]
    (copy,) = items.named(["Y01"], date(2025, 12, 31))
    assert copy["harm"] == 300
    assert items.named(["Y01"], TODAY)[0]["harm"] == 500
    assert set(copy) == {
        "code", "name", "basis", "nature", "method", "department", "subjects", "labels", "minutes", "harm", "questions",
    }  # fmt: skip
    items.save(load(name="另一名称"), version=1, desk=desk())
    assert copy["name"] == ITEM["name"]


def test_an_item_that_is_not_in_force_cannot_be_put_into_a_task(on_sqlite):
    item("Y01", until_on="2026-11-21")
    item("Y02", from_on="2027-01-01")
    for code in ("Y01", "Y02", "Y03"):
        with pytest.raises(UnknownItem, match=code):
            items.named([code], TODAY)


def test_an_item_is_retired_once_and_after_its_first_day_only(on_sqlite):
    item()
    with pytest.raises(RegisterRefused):
        items.retire("Y01", on=date(2024, 1, 1), version=1, desk=desk())
    assert items.retire("Y01", on=date(2027, 1, 1), version=1, desk=desk())[0].version == 2
    assert items.retire("Y01", on=date(2027, 1, 1), version=1, desk=desk())[1] == "unchanged"
    with pytest.raises(VersionConflict):
        items.retire("Y01", on=date(2028, 1, 1), version=1, desk=desk())
    with pytest.raises(UnknownItem):
        items.retire("Y09", on=TODAY, version=1, desk=desk())


def test_a_version_of_what_is_not_there_and_a_label_that_is_not_there_are_refused(on_sqlite):
    with pytest.raises(UnknownItem):
        items.save(load(), version=3, desk=desk())
    with pytest.raises(RegisterRefused, match="nowhere"):
        items.save(load(labels=["nowhere"]), desk=desk())
    assert InspectionItem.select().count() == 0


def test_pages_hold_what_was_asked_for_in_one_query(on_sqlite, count_queries):
    label()
    for number in range(1, 6):
        item(f"Y0{number}", nature="key" if number % 2 else "general", labels=["food"] if number > 3 else [])
    item("Y09", until_on="2025-01-01")

    def codes(**asked):
        with count_queries() as queries:
            found = items.page(TODAY, **asked)
        assert len(queries) == 1
        return [one["code"] for one in found.items], found.next

    first, after = codes(limit=3)
    assert first == ["Y01", "Y02", "Y03"]
    assert codes(limit=3, after=after) == (["Y04", "Y05"], None)
    assert codes(every=True, limit=9)[0][-1] == "Y09"
    assert codes(nature="general") == (["Y02", "Y04"], None)
    first, after = codes(label="food", limit=1)
    assert (first, codes(label="food", limit=1, after=after)) == (["Y04"], (["Y05"], None))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "含 空格"}, "code"),
        ({"until_on": "2023-01-01"}, "until_on"),
        ({"subjects": ["company"]}, "subjects"),
        ({"subjects": ["enterprise", "企业"]}, "subjects"),
        ({"minutes": 0}, "minutes"),
        ({"harm": []}, "harm"),
        ({"harm": [{"from": f"{year}-01-01", "weight": 1, "basis": "x"} for year in (2025, 2024)]}, "harm"),
        ({"questions": [{"code": "1", "text": "a|b", "severity": 1}]}, "questions"),
        ({"questions": [{"code": "1", "text": "是否？", "severity": 1}] * 2}, "questions"),
        ({"nature": "heavy"}, "nature"),
    ],
)
def test_what_cannot_be_an_item_is_refused_by_field(wrong, field):
    with pytest.raises(ValidationError) as error:
        load(**wrong)
    assert list(error.value.normalized_messages()) == [field]


def test_methods_and_natures_are_read_in_chinese_too():
    read = load(method="实地", nature="一般", subjects=["个体工商户"])
    assert (read["method"], read["nature"], read["subjects"]) == ("on_site", "general", ["individual"])


def test_the_shipped_list_is_added_where_codes_are_free_and_left_alone_elsewhere(settings):
    item("B03", name="本地的食品经营检查")
    found = shipped_items.load(desk=desk())
    assert (found.items, found.labels, found.kept) == (15, 17, ("B03",))
    again = shipped_items.load(desk=desk())
    assert (again.items, again.labels, len(again.kept)) == (0, 0, 33)
    assert items.get("B03").name == "本地的食品经营检查"
    named = {code for row in InspectionItem.select() for code in row.labels}
    assert named == {row.code for row in Label.select()} - {"food_sellers", "caterers"}


def test_every_shipped_item_has_a_checklist_and_says_what_it_rests_on():
    labels, listed = shipped_items.read()
    assert {one["code"] for one in listed} == {
        "A01", "A10", "A11", "B01", "B03", "B04", "B05", "C01", "C03", "C06", "C08", "C09", "C10", "C11", "C12", "X01",
    }  # fmt: skip
    assert all(4 <= len(one["questions"]) <= 8 for one in listed)
    assert {question["severity"] for one in listed for question in one["questions"]} == {1, 2, 3}
    assert all(one["basis"].startswith("product_default") for one in listed if one["code"] != "X01")
    assert all(one["harm"][0]["basis"] == "product_default" for one in listed)
    assert {one["basis"] for one in labels} == {"product_default"}
