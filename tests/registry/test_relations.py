"""Relations from either side, as of any day and any knowledge; people are told apart by keyed hashes alone."""

import csv
from datetime import date

import pytest
from marshmallow import ValidationError

from registry import database, privacy
from registry.cells.personal import keyed_hash
from registry.kinds import KINDS
from registry.models import Fact, Record, Relation
from registry.services import ledger, mirrors, relations
from registry.services.visibility import DETAIL, PUBLIC, REGULATOR
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported

# Made-up: the check character is right, the person does not exist.
PERSON, OTHER_PERSON = "11010119900307109X", "110101199003071233"
KIND = KINDS["relation"]
DAY = date(2026, 6, 1)


def said(**given):
    fields = {
        "type": "shareholder",
        "person_name": "张某某",
        "valid_from": "2020-01-02",
        "organ": "信衡市市场监督管理局",
        **given,
    }
    if "other_code" in given or "other_name" in given:
        fields.pop("person_name")
    return KIND.state(KIND.schema(today=TODAY).load(fields))


def relate(entity, *, source="register", **given):
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (outcome,) = pen.state([(entity, said(**given))], source=source)
    return outcome


def seen(entity, day=DAY, known=None):
    return [
        (one.type, one.of.entity, one.to.entity if one.to else one.person_name)
        for one in relations.of(entity, day, known)
    ]


def test_a_relation_is_found_from_both_sides(settings):
    mother_code, child_code = credit_code(), credit_code()
    mother, child = registered(mother_code), registered(child_code)
    relate(child, type="shareholder", other_code=mother_code, share="60%")
    relate(mother, type="branch", other_name="信衡示例分公司")
    (stated,) = relations.of(child, DAY)
    assert (stated.share, stated.to.code, stated.of.code) == (6000, mother_code, child_code)
    assert seen(mother) == [("branch", mother, None), ("shareholder", child, mother)]


def test_the_fact_has_type_and_share_in_hundredths_of_a_percent(settings):
    entity = registered()
    relate(entity, share=33.335)
    fact = Fact.get(Fact.entity == entity, Fact.kind == 18)
    assert (fact.code, fact.severity, fact.amount) == (2, 0, 3334)


def test_a_relation_holds_from_its_first_day_to_its_last(settings):
    entity = registered()
    relate(entity, type="法定代表人", valid_from="2020-01-02", valid_to="2024-05-31")
    days = [date(2020, 1, 1), date(2020, 1, 2), date(2024, 5, 31), date(2024, 6, 1)]
    assert [len(relations.of(entity, day)) for day in days] == [0, 1, 1, 0]


def test_what_was_corrected_later_was_believed_before_and_what_is_withdrawn_is_not_seen(settings):
    entity = registered()
    relate(entity, share=10, document_no="信〔2020〕1号")
    then = ledger.head()
    newest = relate(entity, share=20, document_no="信〔2020〕1号")
    assert [one.share for one in relations.of(entity, DAY, then)] == [1000]
    assert [one.share for one in relations.of(entity, DAY)] == [2000]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(newest.seq, source="register", reason="登记错误")
    assert relations.of(entity, DAY) == relations.of(entity, DAY, then) == [], "visibility is today's"


def test_one_person_is_found_wherever_he_stands_in_any_form_of_his_number(settings):
    one, other = registered(), registered()
    relate(one, type="legal_representative", person_id=PERSON)
    relate(other, type="shareholder", person_id=f" {PERSON[:6]} {PERSON[6:14]} {PERSON[14:].lower()}")
    relate(other, type="manager", person_id=OTHER_PERSON)
    hash_ = keyed_hash(PERSON, privacy.key(settings))
    assert [(one_.of.entity, one_.type) for one_ in relations.same_person(hash_, DAY)] == [
        (one, "legal_representative"), (other, "shareholder"),
    ]  # fmt: skip


def test_the_number_of_a_person_is_nowhere_in_the_database(on_sqlite):
    relate(registered(), person_id=PERSON)
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(on_sqlite.database.url.removeprefix("sqlite:///"), "rb") as file:
        assert PERSON.encode() not in file.read()


def test_a_name_is_shown_by_the_right_to_it(on_sqlite):
    entity = registered()
    relate(entity, person_id=PERSON)
    (one,) = relations.of(entity, DAY)
    assert (one.shown(DETAIL)["person"], one.shown(REGULATOR)["person"], one.shown(PUBLIC)["person"]) == (
        "张某某",
        "张**",
        "张**",
    )
    assert one.person_hash not in str(one.shown(DETAIL))


def test_many_relations_cost_as_many_queries_as_one(on_sqlite, count_queries):
    entity = registered()

    def cost():
        with count_queries() as queries:
            relations.of(entity, DAY)
        return len(queries)

    relate(entity, type="investment", other_code=credit_code(), document_no="信〔2020〕1号")
    one = cost()
    for number in range(2, 12):
        relate(entity, type="investment", other_code=credit_code(), document_no=f"信〔2020〕{number}号")
    assert (len(relations.of(entity, DAY)), cost()) == (11, one)


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"other_code": PERSON}, "other_code", "personal number"),
        ({"other_code": "91990101"}, "other_code", ""),
        ({"type": "branch"}, "person_name", "is an entity"),
        ({"type": "manager", "other_name": "信衡示例有限公司"}, "other_name", "is a person"),
        ({"share": 101}, "share", "between 0 and 100"),
        ({"share": "half"}, "share", "percent"),
        ({"valid_to": "2019-01-01"}, "valid_to", "before"),
        ({"type": "neighbour"}, "type", "is not one of"),
    ],
)
def test_what_makes_no_relation_is_refused_by_name_and_quotes_nobody(on_sqlite, given, field, why):
    with pytest.raises(ValidationError) as caught:
        said(**given)
    (message,) = caught.value.messages[field]
    assert why in message
    assert PERSON not in message


def test_a_relation_has_one_other_side(on_sqlite):
    for given in ({"person_name": "张某某", "other_name": "信衡示例有限公司"}, {}):
        with pytest.raises(ValidationError):
            KIND.schema(today=TODAY).load({"type": "shareholder", **given})


def test_a_file_of_relations_is_imported_by_its_headings(settings, tmp_path):
    code, other = credit_code(), credit_code()
    entity = registered(code)
    path = tmp_path / "relations.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(
            [
                "统一社会信用代码",
                "企业名称",
                "关系类型",
                "姓名",
                "证件号码",
                "关联主体统一社会信用代码",
                "持股比例",
                "起始日期",
                "截止日期",
            ]
        )
        table.writerow([code, "信衡示例", "股东", "张某某", PERSON, "", "35.5%", "2020年01月02日", ""])
        table.writerow([code, "信衡示例", "董事长", "李某", OTHER_PERSON, "", "", "2021-03-04", "9999-12-31"])
        table.writerow([code, "信衡示例", "对外投资", "", "", other, "100", "2022/5/6", ""])
    report = imported(settings, path)
    assert counts_of(report) == {"stored": 3}
    assert [one[0] for one in seen(entity)] == ["shareholder", "investment", "manager"]
    assert {row.person_hash for row in Relation.select() if row.person_hash} == {
        keyed_hash(number, privacy.key(settings)) for number in (PERSON, OTHER_PERSON)
    }
    assert counts_of(imported(settings, path)) == {"unchanged": 3}


def test_the_table_of_relations_follows_from_the_ledger(settings):
    entity = registered()
    relate(entity, share=10, document_no="信〔2020〕1号", person_id=PERSON)
    relate(entity, share=20, document_no="信〔2020〕1号", person_id=PERSON)
    gone = relate(entity, type="manager", document_no="信〔2020〕2号")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone.seq, source="register", reason="登记错误")
    assert list(mirrors.differences()) == []
    before = sorted(map(tuple, Relation.select().tuples()))
    Relation.delete().where(Relation.known == gone.seq).execute()
    Relation.update(share=1).where(Relation.gone.is_null()).execute()
    assert [text.rsplit(" row ", 1)[1] for text in mirrors.differences()] == [
        f"{Record.select(Record.seq).where(Record.replaced_seq.is_null(), Record.act == 'correct').scalar()} differs",
        f"{gone.seq} is missing",
    ]
    mirrors.rebuild()
    assert sorted(map(tuple, Relation.select().tuples())) == before
    assert list(mirrors.differences()) == []


def test_what_was_lawfully_erased_leaves_the_table_too(settings):
    outcome = relate(registered(), person_id=PERSON)
    with database.write():
        mirrors.forget(outcome.seq)
    assert Relation.select().count() == 0
