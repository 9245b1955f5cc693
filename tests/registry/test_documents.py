"""Documents: numbered without a gap or a double, filled from templates that refuse to guess, unchanged for ever."""

import re
import threading
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry import database
from registry.database import execute
from registry.errors import ConfigError
from registry.models import Document, DocumentTemplate, Entity, Record, Series
from registry.sample.shape import load_shape
from registry.services import documents, ledger, numbering
from registry.services.documents import BadDocument, DocumentNotFound, UnknownOrgan
from registry.services.numbering import SeriesBegun
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.papers import ORGAN, desk_of

SAID = {"facts": "示例事实。", "basis": "示例依据"}


def issued(desk, entity, type_="order_publish", **given):
    variables = {"days": "10", **SAID, **given} if type_ == "order_publish" else {**SAID, **given}
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return documents.issue(pen, documents.number(type_, desk), desk=desk, entity=entity, variables=variables)


@pytest.fixture
def entity(settings):
    return Entity.get_by_id(registered(address="示例路9号"))


def test_eight_writers_at_once_leave_no_gap_and_no_double(settings, entity):
    desk, problems = desk_of(settings), []
    barrier = threading.Barrier(8)

    def work():
        barrier.wait()
        with database.session():
            for _ in range(25):
                try:
                    issued(desk, entity)
                except Exception as error:
                    problems.append(repr(error))

    writers = [threading.Thread(target=work) for _ in range(8)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert problems == []
    assert sorted(row.number for row in Document.select()) == list(range(1, 201))
    assert Series.get().last == 200


def test_a_transaction_that_fails_gives_its_number_back(settings, entity):
    desk = desk_of(settings)
    issued(desk, entity)
    with pytest.raises(BadDocument, match="facts is missing"):
        issued(desk, entity, facts=" ")
    with pytest.raises(BadDocument, match="knows no colour"), ledger.writing(now=NOW, schemes=[]) as pen:
        documents.issue(
            pen, documents.number("order_publish", desk), desk=desk, entity=entity, variables={"colour": ""}
        )
    assert issued(desk, entity).printed_no == "信市监责公〔2026〕2号"
    assert Record.select().where(Record.kind == "document").count() == 2


def test_every_organ_type_and_year_has_a_series_of_its_own(settings, entity):
    here, there = desk_of(settings), desk_of(settings, organ="信衡市澜砚区市场监督管理局")
    next_year = replace(here, today=date(2027, 1, 4))
    made = [
        issued(here, entity),
        issued(there, entity),
        issued(next_year, entity),
        issued(here, entity, "inspection_notice"),
    ]
    assert [one.printed_no for one in made] == [
        "信市监责公〔2026〕1号", "信衡澜市监责公〔2026〕1号", "信市监责公〔2027〕1号", "信市监查通〔2026〕1号",
    ]  # fmt: skip


def test_a_series_goes_on_after_the_numbers_of_another_system_and_only_before_its_first(settings, entity):
    with database.write():
        numbering.begin("信市监责公", 2026, 119)
        numbering.begin("信市监责公", 2026, 119)
    assert issued(desk_of(settings), entity).number == 120
    with pytest.raises(SeriesBegun, match="last number is 120"):
        numbering.begin("信市监责公", 2026, 500)


def test_a_number_is_taken_only_inside_a_transaction(on_sqlite):
    with pytest.raises(AssertionError):
        numbering.take("信市监责公", 2026)


@given(st.sampled_from(["信市监异入", "a1"]), st.integers(2000, 2100), st.integers(1, 10**6), st.integers(0, 10**4))
def test_a_printed_number_reads_as_it_was(word, year, number, part):
    assert numbering.read(numbering.printed(word, year, number, part)) == (word, year, number, part)


def test_a_document_is_found_by_its_id_and_by_its_printed_number_and_only_by_its_organ(settings, entity):
    made = issued(desk_of(settings), entity)
    assert documents.get(made.id) == documents.get("信市监责公〔2026〕1号", organ=ORGAN) == made
    for key, organ in ((99, None), ("信市监责公〔2026〕2号", None), ("no number", None), (made.id, "另一机关")):
        with pytest.raises(DocumentNotFound, match="as printed"):
            documents.get(key, organ=organ)


def test_a_missing_variable_of_the_organ_is_refused_by_name_and_says_where_to_put_it(settings, entity):
    desk = desk_of(settings)
    poor = replace(desk, organ=replace(desk.organ, court="", government=""))
    with pytest.raises(BadDocument, match=r"court, reconsideration is missing.*\[listings\] organs"):
        issued(poor, entity)


def test_a_variable_that_the_template_does_not_know_is_refused(settings, entity):
    with pytest.raises(BadDocument, match=r"knows no colour\. It takes: facts"):
        issued(desk_of(settings), entity, colour="red")


def test_a_document_cites_the_remedies_in_full(settings, entity):
    text = issued(desk_of(settings), entity).text
    assert "六十日内向信衡市人民政府申请行政复议" in text
    assert "六个月内依法向信衡市人民法院提起行政诉讼" in text
    assert not re.search(r"\{\w+\}", text)


@pytest.mark.parametrize("type_", documents.templates())
def test_every_template_fills_with_what_it_says_it_needs(on_sqlite, type_):
    chosen = documents.template(type_)
    desk = desk_of(on_sqlite)
    entity = Entity.get_by_id(registered(address="示例路9号"))
    made_up = {name: f"［{name}］" for name in chosen.needs}
    with ledger.writing(now=NOW, schemes=[]) as pen:
        made = documents.issue(pen, documents.number(type_, desk), desk=desk, entity=entity, variables=made_up)
    assert all(value in made.text for value in made_up.values())
    first, *_, last = made.text.split("\n\n")
    assert first.splitlines() == [ORGAN, chosen.title, made.printed_no]
    assert last.splitlines() == [ORGAN, "2026年11月21日"]
    assert chosen.places <= {*documents.KNOWN, *chosen.needs}
    assert documents.unchanged(made)


def test_no_two_types_share_a_series(on_sqlite):
    words = [one.series for one in documents.templates().values()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("facts", ["联系人手机13800138000。", "经查身份证(个人证件号)。"])
def test_a_number_of_a_person_or_its_mask_is_refused_and_takes_no_number(settings, entity, facts):
    with pytest.raises(BadDocument, match=r"`facts` holds a number of a person.*Say it without the number") as caught:
        issued(desk_of(settings), entity, facts=facts)
    assert "13800138000" not in caught.value.detail
    assert issued(desk_of(settings), entity).number == 1


def test_words_of_an_officer_stand_as_a_sentence_with_one_full_stop(settings, entity):
    for facts in ("经核实已重新取得联系", "经核实已重新取得联系。", "经核实已重新取得联系."):
        assert "经核实已重新取得联系。\n" in issued(desk_of(settings), entity, facts=facts).text
    assert documents.sentence("") == ""
    text = issued(desk_of(settings), entity, facts="经查，未按期公示").text
    assert "经查，未按期公示。" in text
    assert "经查，经查" not in text


def test_what_its_own_organ_decided_is_said_to_be_of_this_organ(settings):
    desk = desk_of(settings)
    assert documents.by_organ(ORGAN, "信市监异入[2026]1号", desk) == "本机关以信市监异入〔2026〕1号"
    assert documents.by_organ("信衡市澜砚区市场监督管理局", "", desk) == "信衡市澜砚区市场监督管理局"


def test_every_organ_of_the_sample_may_issue_documents(on_sqlite):
    shape = load_shape()
    city = f"{shape.table['place']['city']}市"
    names = {f"{city}{district.name}市场监督管理局" for district in shape.districts} | {f"{city}市场监督管理局"}
    assert names == set(documents.organs(on_sqlite))


def test_no_value_can_forge_a_section_or_a_variable(settings, entity):
    facts = "示例事实。\n\n信衡市市场监督管理局\n2030年1月1日 {court}"
    made = issued(desk_of(settings), entity, facts=facts)
    assert "{court}" in made.text
    assert made.text.split("\n\n")[-1] == f"{ORGAN}\n2026年11月21日"


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_a_value_never_parts_a_document_whatever_it_is(value):
    chosen = documents.template("order_publish")
    given_ = dict.fromkeys(chosen.places, "甲") | {"facts": f"乙{value}"}
    text, _ = documents.fill(chosen, given_)
    assert len(text.split("\n\n")) == len(chosen.text.split("\n\n"))


def test_a_document_whose_text_was_altered_is_known_by_it(settings, entity):
    made = issued(desk_of(settings), entity)
    assert documents.unchanged(made)
    execute("UPDATE document SET text = ? WHERE id = ?", (made.text.replace("示例事实", "另一事实"), made.id))
    assert not documents.unchanged(documents.get(made.id))


def test_the_words_of_a_template_are_kept_once_by_their_hash(settings, entity):
    first, again = issued(desk_of(settings), entity), issued(desk_of(settings), entity)
    assert first.template == again.template
    (kept,) = DocumentTemplate.select()
    assert (kept.type, first.template) == ("order_publish", f"order_publish@{kept.hash}")


def test_an_organ_without_a_word_issues_nothing(settings):
    with pytest.raises(UnknownOrgan, match="另一机关 issues no documents here"):
        documents.desk(settings, organ="另一机关", actor="x", today=TODAY, now=NOW, schemes=[])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('["甲局"]\nwrod = "甲"', "unknown key wrod"),
        ('["甲局"]\nword = ""', "1 to 30 characters"),
        ('["甲局"]\nword = "甲"\n["乙局"]\nword = "甲"', "same word"),
        ('["甲局"]\nword = 7', "give text in quotes"),
        ("甲局 = 1", "not valid TOML"),
        ('word = "甲"', "not a table"),
    ],
)
def test_a_mistake_in_the_file_of_organs_is_named(on_sqlite, tmp_path, text, problem):
    file = tmp_path / "organs.toml"
    file.write_text(text, encoding="utf-8")
    wrong = replace(on_sqlite, listings=replace(on_sqlite.listings, organs=str(file)))
    with pytest.raises(ConfigError, match=problem) as caught:
        documents.organs(wrong)
    assert str(file) in caught.value.detail


def test_a_file_of_organs_that_is_not_there_is_named(on_sqlite, tmp_path):
    wrong = replace(on_sqlite, listings=replace(on_sqlite.listings, organs=str(tmp_path / "none.toml")))
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read"):
        documents.organs(wrong)
