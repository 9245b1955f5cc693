"""By name, by decision: a row without a number finds the one entity that it can only be, or a person says whom it is about."""

import pytest

from registry import database, privacy
from registry.models import Audit, Decision, Entity, Fact, Record, Settled, Uncounted, Unmatched
from registry.services import deciding, entities, imports, ledger, matching, merges, queue
from registry.services.deciding import DecisionRefused, QueueRowNotFound, Who
from registry.services.entities import Party
from registry.services.parties import BadArea
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.importing import counts_of
from tests.registry.tables import HEADINGS_2021, penalty_row, table
from tests.registry.test_personal_data import looks_like_a_birthday

NAME, OTHER = "信衡示例(集团)有限公司", "信衡别家有限公司"
AREA = "9901"
WHO = Who("officer", TODAY, NOW, ["general-risk"])


def penalise(settings, tmp_path, *given, division=AREA, **more):
    rows = [penalty_row(**{"code": "", "name": NAME, "document_no": f"信{n}号", **one}) for n, one in enumerate(given)]
    opened = table(tmp_path, HEADINGS_2021, rows, name="penalties.csv")
    return imported_in(settings, opened, division, **more)


def imported_in(settings, path, division, **more):
    chunk, source = more.pop("chunk", 400), more.pop("source", None)
    return imports.run(
        imports.open_source(path, source=source), today=TODAY, key=privacy.key(settings), schemes=["general-risk"], chunk=chunk,
        actor="test", now=lambda: NOW, division=division,
    )  # fmt: skip


def waiting():
    return [one.reason for one in Unmatched.select().order_by(Unmatched.id)]


def stated():
    """(entity, how) of every record that holds."""
    rows = Record.select().where(
        (Record.kind == "penalty") & Record.replaced_seq.is_null() & (Record.act != "withdraw")
    )
    return sorted((one.entity_id, one.matched) for one in rows)


def counted():
    return Fact.select().where((Fact.kind == 2) & Fact.gone.is_null()).count()


def first_row():
    return Unmatched.select().order_by(Unmatched.id).first().id


def match(*rows, to, **given):
    return deciding.decide(rows, "match", to=Entity.get_by_id(to).code, **{"reason": "核实", "who": WHO, **given})


# --- by name -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", [NAME, "信衡示例（集团）有限公司", " 信衡 示例(集团)有限公司。", "信衡示例〔集团〕有限公司", "信衡示例(集團)有限公司"],
    ids=["as it is", "full width", "blanks", "other brackets", "traditional"],
)  # fmt: skip
def test_a_row_without_a_number_finds_the_one_entity_of_its_area_that_has_its_name(settings, tmp_path, written):
    entity = registered(name=NAME)
    report = penalise(settings, tmp_path, {"name": written}, {"name": written, "code": "无"})
    assert counts_of(report) == {"stored": 2, "by_name": 2}
    assert stated() == [(entity, "name")] * 2
    assert counts_of(penalise(settings, tmp_path, {"name": written}, {"name": written, "code": "无"})) == {
        "unchanged": 2,
        "by_name": 2,
    }


@pytest.mark.parametrize("division", ["", "9902", "88"])
def test_without_its_area_or_in_another_nobody_is_found(settings, tmp_path, division):
    registered(name=NAME)
    assert counts_of(penalise(settings, tmp_path, {}, division=division)) == {"unmatched": 1}


@pytest.mark.parametrize("division", ["9", "99010", "海淀", "-1", "990101x"])
def test_what_is_no_division_is_refused(settings, tmp_path, division):
    with pytest.raises(BadArea, match="two, four or six digits"):
        penalise(settings, tmp_path, {}, division=division)


@pytest.mark.parametrize("division", ["99", "9901", "990101", "990100", "990000"])
def test_an_area_is_a_prefix_however_it_is_written(settings, tmp_path, division):
    registered(name=NAME)
    assert counts_of(penalise(settings, tmp_path, {}, division=division)) == {"stored": 1, "by_name": 1}


def test_two_of_one_name_in_one_area_are_nobody_and_in_two_areas_are_two(settings, tmp_path):
    registered(name=NAME)
    second = registered(credit_code(division="990203"), name=NAME)
    assert counts_of(penalise(settings, tmp_path, {}, division="99")) == {"unmatched": 1}
    assert counts_of(penalise(settings, tmp_path, {"document_no": "信7号"}, division="9902")) == {
        "stored": 1,
        "by_name": 1,
    }
    assert stated() == [(second, "name")]


def test_a_former_name_finds_its_entity_unless_somebody_else_has_or_had_it_there(settings, tmp_path):
    code = credit_code()
    entity = registered(code, name=NAME)
    registered(code, name=OTHER)
    assert counts_of(penalise(settings, tmp_path, {})) == {"stored": 1, "by_name": 1}
    assert stated() == [(entity, "name")]
    another = credit_code()
    registered(another, name=NAME)
    registered(another, name="信衡第三家有限公司")
    assert (waiting(), stated()) == (["name_shared"], [])


def test_a_second_entity_of_the_name_lets_the_rows_wait_whichever_came_first(settings, tmp_path):
    registered(name=NAME)
    penalise(settings, tmp_path, {}, {})
    assert counted() == 2
    registered(name=NAME)
    assert (waiting(), stated(), counted()) == (["name_shared"] * 2, [], 0)
    assert counts_of(penalise(settings, tmp_path, {}, {})) == {"unmatched": 2}
    assert Settled.select().count() == 0


@pytest.mark.parametrize("chunk", [1, 2, 3, 400])
def test_rows_of_one_import_that_name_one_party_fare_alike_also_beside_an_unknown_code_of_that_name(
    settings, tmp_path, chunk
):
    registered(name=NAME)
    report = penalise(settings, tmp_path, {}, {"code": credit_code()}, {}, chunk=chunk)
    assert report.counts.read == 3
    assert len(waiting()) == 2
    assert [how for _, how in stated()] == ["number"]


def test_a_provisional_entity_is_not_found_by_name(settings, tmp_path):
    penalise(settings, tmp_path, {"code": credit_code()}, {})
    assert waiting() == ["blank"]


def test_rows_that_wait_with_an_area_are_stated_when_an_entity_of_their_name_registers(settings, tmp_path):
    penalise(settings, tmp_path, {}, {}, {"name": OTHER})
    entity = registered(name=NAME)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        assert queue.release(pen, [Party(name=NAME)], now=NOW) == 2
    assert (stated(), waiting()) == ([(entity, "name")] * 2, ["blank"])


@pytest.mark.parametrize("name", ["张三", "欧阳娜娜", "阿卜杜拉·买买提江", "SMITH JOHN", "王*"])
def test_a_persons_name_never_finds_anybody(settings, tmp_path, name):
    registered(credit_code("92"), name=name, subject="individual")
    assert counts_of(penalise(settings, tmp_path, {"name": name})) == {"unmatched": 1}


def test_a_row_with_a_number_that_nobody_has_waits_although_its_name_is_known(settings, tmp_path):
    registered(name=NAME)
    given = ({"registration_no": looks_like_a_birthday()}, {"organisation_code": credit_code()[8:17]})
    assert counts_of(penalise(settings, tmp_path, *given)) == {"unmatched": 2}


def test_merged_entities_of_one_name_are_one(settings, tmp_path):
    winner, loser = registered(name=NAME), registered(name=NAME)
    codes = [Entity.get_by_id(one).code for one in (loser, winner)]
    merges.merge(*codes, reason="同一企业", actor="t", today=TODAY, now=NOW, schemes=[])
    assert counts_of(penalise(settings, tmp_path, {})) == {"stored": 1, "by_name": 1}
    assert stated() == [(winner, "name")]


def test_a_grave_record_found_by_name_counts_once_it_is_confirmed(settings, tmp_path):
    entity = registered(name=NAME)
    penalise(settings, tmp_path, {"kinds": "吊销营业执照", "content": "吊销营业执照", "fine": ""})
    (held,) = deciding.named().items
    assert (counted(), held["counts"], held["name"]) == (0, False, NAME)
    (taken,) = deciding.confirm([held["seq"]], reason="与登记档案一致", who=WHO)
    assert (taken.said, taken.rows, counted(), stated()) == ("decided", 1, 1, [(entity, "person")])
    assert (deciding.named().items, Uncounted.select().count()) == ([], 0)
    assert deciding.confirm([held["seq"]], reason="再次", who=WHO)[0].said == "unchanged"
    # Rows of that party that come later are that entity's by the same decision.
    assert counts_of(penalise(settings, tmp_path, {"document_no": "信8号"})) == {"stored": 1}
    assert stated() == [(entity, "person")] * 2


def test_the_same_row_with_a_number_takes_the_place_of_the_one_found_by_name(settings, tmp_path):
    code = credit_code()
    entity = registered(code, name=NAME)
    penalise(settings, tmp_path, {})
    assert counts_of(penalise(settings, tmp_path, {"code": code})) == {"stored": 1}
    assert (stated(), counted()) == ([(entity, "number")], 1)


def test_detaching_puts_the_row_back_once_and_rows_to_come_wait_too(settings, tmp_path):
    registered(name=NAME)
    penalise(settings, tmp_path, {}, {})
    seq = deciding.named().items[0]["seq"]
    (taken,) = deciding.detach([seq], reason="同名不同企业", who=WHO)
    assert (taken.said, taken.rows) == ("decided", 2)  # both rows name that party
    assert (waiting(), stated(), counted()) == (["detached"] * 2, [], 0)
    assert deciding.detach([seq], reason="再次", who=WHO)[0].said == "unchanged"
    assert counts_of(penalise(settings, tmp_path, {}, {}, {})) == {"unmatched": 3}
    assert waiting() == ["detached"] * 3
    assert Unmatched.select().count() == 3


def test_undoing_a_detachment_lets_the_name_find_its_entity_again(settings, tmp_path):
    entity = registered(name=NAME)
    penalise(settings, tmp_path, {})
    (taken,) = deciding.detach([deciding.named().items[0]["seq"]], reason="同名", who=WHO)
    deciding.undo(taken.decision.id, reason="认错了", who=WHO)
    assert counts_of(penalise(settings, tmp_path, {})) == {"stored": 1, "by_name": 1, "released": 1}
    assert (stated(), waiting(), counted()) == ([(entity, "name")], [], 1)


def test_a_record_that_came_by_a_number_is_neither_confirmed_nor_detached(settings, tmp_path):
    seq = record(registered()).seq
    for verb in (deciding.confirm, deciding.detach):
        with pytest.raises(DecisionRefused, match="not attached by its name"):
            verb([seq], reason="x", who=WHO)


def test_records_found_by_name_come_in_pages_of_the_divisions_asked_for(settings, tmp_path, count_queries):
    near, far = credit_code(), credit_code(division="990201")
    for code, name in ((far, OTHER), (near, NAME)):
        registered(code, name=name)
    penalise(settings, tmp_path, *[{"name": OTHER}] * 3, division="9902")
    penalise(settings, tmp_path, *[{"document_no": f"近{n}号"} for n in range(3)], division="9901", source="near")
    with count_queries() as asked:
        first = deciding.named(limit=2, divisions=("9901",))
    second = deciding.named(limit=2, divisions=("9901",), after=first.next)
    assert ([one["code"] for one in [*first.items, *second.items]], second.next, len(asked)) == ([near] * 3, None, 1)
    assert len(deciding.named(divisions=("9901", "9902")).items) == len(deciding.named().items) == 6
    assert deciding.named(divisions=("11",)).items == deciding.named(divisions=()).items == []


# --- decisions ---------------------------------------------------------------------------------------------------


def test_a_decision_is_applied_to_every_row_of_the_party_and_to_those_to_come(settings, tmp_path):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, {}, {}, {"name": "信衡第三家有限公司"}, division="")
    (taken,) = match(first_row(), to=entity)
    assert (taken.said, taken.rows, waiting()) == ("decided", 2, ["blank"])
    assert counts_of(penalise(settings, tmp_path, {}, {}, {"name": "信衡第三家有限公司"}, {}, division="")) == {
        "stored": 1,
        "unchanged": 2,
        "unmatched": 1,
    }
    assert stated() == [(entity, "person")] * 3


def test_a_decision_about_more_rows_than_a_chunk_reaches_all(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(deciding, "CHUNK", 2)
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, *[{}] * 5)
    (taken,) = match(first_row(), to=entity)
    assert (taken.rows, waiting(), len(stated())) == (5, [], 5)
    assert deciding.undo(taken.decision.id, reason="误", who=WHO).rows == 5
    assert (waiting(), stated(), counted()) == (["blank"] * 5, [], 0)


def test_a_decision_that_was_cut_off_is_finished_by_the_same_call(settings, tmp_path, monkeypatch):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, *[{}] * 3)
    row = first_row()
    monkeypatch.setattr(deciding, "_apply", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
    with pytest.raises(RuntimeError, match="power cut"):
        match(row, to=entity)
    monkeypatch.undo()
    (taken,) = match(row, to=entity)
    assert (taken.said, taken.rows, waiting()) == ("unchanged", 3, [])


def test_the_same_decision_again_is_no_news_and_another_is_refused_until_the_first_is_undone(settings, tmp_path):
    entity, second = registered(name=OTHER), registered(name="信衡第三家有限公司")
    penalise(settings, tmp_path, {})
    row = first_row()
    (taken,) = match(row, to=entity)
    assert match(row, to=entity)[0].said == "unchanged"
    with pytest.raises(DecisionRefused, match="Undo it first"):
        match(row, to=second)
    deciding.undo(taken.decision.id, reason="认错", who=WHO)
    assert deciding.undo(taken.decision.id, reason="认错", who=WHO).said == "unchanged"
    match(first_row(), to=second)
    assert (stated(), counted()) == ([(second, "person")], 1)


def test_a_decision_undone_and_taken_again_states_the_rows_again(settings, tmp_path):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, {})
    for _ in range(2):
        (taken,) = match(first_row(), to=entity)
        assert (stated(), counted()) == ([(entity, "person")], 1)
        deciding.undo(taken.decision.id, reason="误", who=WHO)
        assert (stated(), counted(), waiting()) == ([], 0, ["blank"])


def test_what_a_number_says_as_well_is_not_withdrawn_by_an_undo(settings, tmp_path):
    code = credit_code()
    entity = registered(code, name=OTHER)
    penalise(settings, tmp_path, {})
    (taken,) = match(first_row(), to=entity)
    penalise(settings, tmp_path, {"code": code}, source="another")
    deciding.undo(taken.decision.id, reason="误", who=WHO)
    assert (stated(), waiting()) == ([(entity, "number")], ["blank"])


def test_dropped_rows_wait_no_longer_count_for_nobody_and_come_back_by_an_undo(settings, tmp_path):
    penalise(settings, tmp_path, {}, {})
    (taken,) = deciding.decide([first_row()], "drop", reason="外省企业", who=WHO)
    assert (taken.rows, waiting(), stated()) == (2, [], [])
    assert counts_of(penalise(settings, tmp_path, {}, {}, {})) == {"unmatched": 3, "dropped": 3}
    assert deciding.undo(taken.decision.id, reason="误", who=WHO).rows == 3
    assert waiting() == ["blank"] * 3


def test_two_persons_of_one_name_are_two_parties(settings, tmp_path):
    entity = registered(credit_code("92"), subject="individual")
    penalise(settings, tmp_path, {"name": "张三"}, {"name": "张三"})
    (taken,) = match(first_row(), to=entity)
    assert (taken.rows, waiting()) == (1, ["blank"])


def test_a_registration_is_not_matched_by_a_decision(settings, tmp_path):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, {})
    Unmatched.update(kind="registration").execute()
    with pytest.raises(DecisionRefused, match="is a registration"):
        match(first_row(), to=entity)
    with pytest.raises(QueueRowNotFound, match="No row 999"):
        match(999, to=entity)


def test_a_decision_needs_a_reason_and_is_on_record_with_who_and_when(settings, tmp_path):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, {})
    with pytest.raises(DecisionRefused, match="needs a reason"):
        match(first_row(), to=entity, reason=" ")
    (taken,) = match(first_row(), to=entity, reason="电话13800138000核实")
    step = Record.get(Record.seq == taken.decision.seq)
    assert (step.act, step.kind, step.source, step.detail["reason"]) == ("step", "match", "officer", "电话(电话)核实")
    assert NAME not in str(step.detail)
    assert [one.verb for one in Audit.select().where(Audit.actor == "officer")] == ["queue.match"]
    assert (Decision.get().decided_by, Decision.get().decided_at) == ("officer", NOW)


def test_rows_of_other_areas_are_nobodys_business_there(settings, tmp_path):
    entity = registered(name=OTHER)
    penalise(settings, tmp_path, {})
    there = Who("officer", TODAY, NOW, [], ("9902",))
    assert matching.page(divisions=("9902",)).items == []
    assert matching.count(divisions=("9901",)) == 1
    with pytest.raises(QueueRowNotFound):
        deciding.decide([first_row()], "drop", reason="x", who=there)
    assert entity


# --- candidates --------------------------------------------------------------------------------------------------


def candidates():
    return matching.candidates(Unmatched.select().order_by(Unmatched.id).first())


def test_the_likeliest_entities_stand_first_and_say_why(settings, tmp_path):
    near = registered(name="信衡市晨光食品加工有限公司")
    registered(name="信衡市晨曦食品销售有限公司")
    registered(name="甲乙丙丁戊己商行")
    penalise(settings, tmp_path, {"name": "信衡市辰光食品加工有限公司"})
    found = candidates()
    assert found[0].entity.id == near
    assert found[0].score > found[-1].score
    assert "same area" in found[0].why
    assert "甲乙丙丁戊己商行" not in [one.entity.name for one in found]


def test_five_candidates_are_the_most(settings, tmp_path):
    for number in range(8):
        registered(name=f"信衡市晨光{number}店")
    penalise(settings, tmp_path, {"name": "信衡市晨光店"})
    assert len(candidates()) == 5


def test_a_number_with_a_slip_in_one_place_and_a_former_name_speak_for_an_entity(settings, tmp_path):
    code = credit_code()
    entity = registered(code, name=NAME)
    registered(code, name="辛亥革命纪念品商店")
    database.execute("UPDATE entity SET registration_no = '3302002004007' WHERE id = ?", (entity,))
    # Thirteen digits have no check digit that would find the slip.
    penalise(settings, tmp_path, {"registration_no": "3302002004017"})
    (found,) = candidates()
    assert (found.entity.id, found.score) == (entity, 96)
    assert found.why == ("former name 100 %", "same area", "number differs in one place")


def test_merged_and_provisional_candidates_are_shown_for_what_they_are(settings, tmp_path):
    winner, loser = registered(name="辛亥革命纪念品商店"), registered(name=NAME)
    codes = [Entity.get_by_id(one).code for one in (loser, winner)]
    merges.merge(*codes, reason="同一企业", actor="t", today=TODAY, now=NOW, schemes=[])
    with ledger.writing(now=NOW, schemes=[]) as pen:
        entities.provisional(pen, [Party(code=credit_code(), name="信衡示例(集团)公司")])
    penalise(settings, tmp_path, {}, division="")
    first, second = candidates()
    assert (first.entity.id, second.why[-1]) == (winner, "provisional")


def test_a_row_without_a_name_or_a_number_has_no_candidates(settings, tmp_path):
    registered(name=NAME)
    penalise(settings, tmp_path, {"name": ""})
    assert candidates() == []
