"""Complaints made in series count up to a cap, whatever order they come in; what is published names nobody."""

import csv
import time
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import runner
from jobs.tasks import named
from registry import clock, database, parameters
from registry.errors import ConfigError
from registry.models import Audit, Claim, Fact, Record, Uncounted
from registry.services import complaints, ledger, mirrors, records
from registry.services.complaints import CAP, LIMIT, PARAMETERS, WINDOW, BadPeriod, Period
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry.importing import counts_of, imported

SERIAL, OTHER = "13800001234", "13900005678"
LIMIT_ITEMS, CAP_ITEMS, WINDOW_DAYS = (parameter.on(TODAY).value for parameter in (LIMIT, CAP, WINDOW))
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def complain(entity, day, *, phone=SERIAL, **given):
    return record(entity, "item_12315", received_on=day, claimant_phone=phone, **given)


def series(entity, number, *, first=date(2026, 1, 5), **given):
    """As many upheld complaints of one claimant about one entity, a day apart."""
    return [complain(entity, first + timedelta(days=place), **given) for place in range(number)]


def cap_all():
    return [
        complaints.cap(claimant, actor="job:cap_claimants", today=TODAY, schemes=["general-risk"], now=NOW)
        for claimant in complaints.to_judge()
    ]


def counting(entity):
    return Fact.select().where(Fact.entity == entity, Fact.kind == 6, Fact.gone.is_null(), Fact.severity > 0).count()


def identities(seqs):
    return {Record.get(Record.seq == seq).identity for seq in seqs}


# --- who is a serial claimant ---------------------------------------------------------------------------------------


def claims(*days, entity=1, severity=2):
    return [complaints.Claim(f"{place:04d}", entity, day, severity) for place, day in enumerate(days)]


def test_one_more_than_the_limit_makes_all_of_them_serial():
    assert complaints.judge(claims(*range(LIMIT_ITEMS))).serial == frozenset()
    assert len(complaints.judge(claims(*range(LIMIT_ITEMS + 1))).serial) == LIMIT_ITEMS + 1


def test_items_of_another_window_are_not_serial():
    early = claims(*[0] * LIMIT_ITEMS, WINDOW_DAYS - 1)
    late = claims(*[0] * LIMIT_ITEMS, WINDOW_DAYS)
    assert (len(complaints.judge(early).serial), len(complaints.judge(late).serial)) == (LIMIT_ITEMS + 1, 0)


def test_of_a_serial_claimant_the_first_about_each_entity_counts_and_the_next_do_not():
    spread = claims(*range(LIMIT_ITEMS)) + [
        complaints.Claim(f"x{n}", 2, LIMIT_ITEMS + n, 2) for n in range(CAP_ITEMS + 2)
    ]
    beyond = complaints.judge(spread).beyond
    assert {one for one in beyond if one.startswith("x")} == {f"x{CAP_ITEMS}", f"x{CAP_ITEMS + 1}"}
    assert len(beyond) == LIMIT_ITEMS - CAP_ITEMS + 2
    assert beyond[f"x{CAP_ITEMS}"] == (LIMIT_ITEMS + CAP_ITEMS + 2, LIMIT_ITEMS, CAP_ITEMS)


def test_one_counts_again_when_the_window_of_the_one_before_is_over():
    days = [*range(LIMIT_ITEMS + 1), *range(WINDOW_DAYS, WINDOW_DAYS + LIMIT_ITEMS + 1)]
    judged = complaints.judge(claims(*days))
    assert len(judged.serial) - len(judged.beyond) == 2 * CAP_ITEMS


def test_what_does_not_count_anyway_takes_no_place_under_the_cap():
    spread = [*claims(*range(LIMIT_ITEMS + 1), severity=0), complaints.Claim("x", 1, LIMIT_ITEMS + 1, 2)]
    judged = complaints.judge(spread)
    assert "x" in judged.serial
    assert judged.beyond == {}


def test_many_items_of_one_claimant_are_judged_at_once():
    began = time.process_time()
    judged = complaints.judge(claims(*(n // 20 for n in range(20_000))))
    assert len(judged.serial) == 20_000
    assert time.process_time() - began < 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 3), st.integers(0, 3)), max_size=60), st.randoms())
def test_the_order_in_which_items_are_known_never_matters(given_, random):
    found = [
        complaints.Claim(f"{place:04d}", entity, day, severity) for place, (day, entity, severity) in enumerate(given_)
    ]
    judged = complaints.judge(found)
    random.shuffle(found)
    assert complaints.judge(found) == judged
    assert set(judged.beyond) <= judged.serial


# --- in the ledger --------------------------------------------------------------------------------------------------


def test_items_beyond_the_cap_count_no_more_and_say_so_in_the_ledger(settings):
    entity = registered()
    made = series(entity, LIMIT_ITEMS + 3)
    assert counting(entity) == LIMIT_ITEMS + 3
    assert cap_all() == [(LIMIT_ITEMS + 3 - CAP_ITEMS, 0)]
    assert counting(entity) == CAP_ITEMS
    assert {row.identity for row in Uncounted.select()} == identities(one.seq for one in made[CAP_ITEMS:])
    step = Record.get(Record.act == "step")
    assert (step.kind, step.detail["leaves_out"], step.detail["limit"], step.detail["basis_kind"]) == (
        "capped", "capped", LIMIT_ITEMS, "product_default",
    )  # fmt: skip
    assert Audit.get(Audit.verb == "complaints.capped").subject == f"{LIMIT_ITEMS + 3 - CAP_ITEMS} items"


def test_the_job_again_writes_nothing(settings):
    entity = registered()
    series(entity, LIMIT_ITEMS + 1)
    ran = runner.by_hand(named("cap_claimants"), settings, actor="test", now=lambda: NOW)
    head = ledger.head()
    again = runner.by_hand(named("cap_claimants"), settings, actor="test", now=lambda: NOW + 1000)
    assert (ran.result["capped"], again.result["capped"], ledger.head()) == (LIMIT_ITEMS + 1 - CAP_ITEMS, 0, head)


def test_another_claimant_is_not_capped(settings):
    entity = registered()
    series(entity, LIMIT_ITEMS + 2)
    complain(entity, date(2026, 3, 1), phone=OTHER)
    cap_all()
    assert counting(entity) == CAP_ITEMS + 1


def test_all_count_again_once_so_many_are_withdrawn_that_the_claimant_is_serial_no_longer(settings):
    entity = registered()
    made = series(entity, LIMIT_ITEMS + 1)
    cap_all()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(made[0].seq, source="test", reason="重复登记")
    assert cap_all() == [(0, LIMIT_ITEMS)]
    assert counting(entity) == LIMIT_ITEMS
    assert Uncounted.select().count() == 0
    assert cap_all() == []
    series(entity, 1, first=date(2026, 3, 1))
    assert cap_all() == [(LIMIT_ITEMS + 1 - CAP_ITEMS, 0)], "what was let go may be capped again"


def test_a_correction_of_a_capped_item_does_not_let_it_count(settings):
    entity = registered()
    series(entity, LIMIT_ITEMS)
    number = "T-1"
    complain(entity, date(2026, 4, 1), document_no=number)
    cap_all()
    complain(entity, date(2026, 4, 1), document_no=number, mediation_refused=True)
    assert counting(entity) == CAP_ITEMS
    assert cap_all() == [(0, 0)]


def test_what_was_left_out_for_another_reason_stays_so(settings):
    entity = registered()
    made = series(entity, LIMIT_ITEMS + 1)
    (identity,) = identities([made[-1].seq])
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.step(
            "repair_decided",
            about=identity,
            entity=entity,
            key=[1],
            on=TODAY,
            detail={},
            by="test",
            leaves_out="repaired",
        )
    assert cap_all() == [(LIMIT_ITEMS - CAP_ITEMS, 0)]
    assert Uncounted.get(Uncounted.identity == identity).why == "repaired"


def test_items_that_arrive_in_another_order_come_to_the_same_facts(on_sqlite):
    def lived(order):
        entity = registered()
        for place in order:
            complain(entity, date(2026, 1, 5) + timedelta(days=place), document_no=f"T{entity}-{place}")
            if place % 7 == 0:
                cap_all()
        cap_all()
        facts = Fact.select(Fact.day).where(Fact.entity == entity, Fact.kind == 6, Fact.gone.is_null())
        days = sorted(day for (day,) in facts.tuples())
        with ledger.writing(now=NOW, schemes=[]) as pen:  # so that the next order stands alone
            for row in Record.select(Record.seq).where(
                Record.entity == entity,
                Record.kind == "item_12315",
                Record.replaced_seq.is_null(),
                Record.act != "withdraw",
            ):
                pen.withdraw(row.seq, source="test", reason="x")
        return days

    places = list(range(LIMIT_ITEMS + 4))
    assert lived(places) == lived(places[::-1]) == lived(places[::2] + places[1::2])


def test_the_table_of_claims_follows_from_the_ledger(settings):
    entity = registered()
    series(entity, LIMIT_ITEMS + 1)
    cap_all()
    record(entity, "item_12315", type="consultation", accepted=None, upheld=None, claimant_phone=SERIAL)
    assert Claim.select().count() == LIMIT_ITEMS + 1, "a consultation is no claim"
    assert list(mirrors.differences()) == []


@pytest.mark.parametrize("form", [SERIAL, "+86 138 0000 1234", "138-0000-1234", "１３８００００１２３４", 13800001234])
def test_one_telephone_in_any_form_is_one_claimant(on_sqlite, form):
    said = [statement("item_12315", claimant_phone=number).detail["claimant_hash"] for number in (SERIAL, form)]
    assert said[0] == said[1]


@pytest.mark.parametrize("blank", ["", "138****1234", "无", "1", None])
def test_who_cannot_be_told_apart_is_no_claimant(on_sqlite, blank):
    assert "claimant_hash" not in statement("item_12315", claimant_phone=blank).detail


def test_who_complained_is_nowhere_in_the_database(on_sqlite):
    record(registered(), "item_12315", claimant_phone=SERIAL, claimant_name="张某某", claimant_id="11010119900307109X")
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(on_sqlite.database.url.removeprefix("sqlite:///"), "rb") as file:
        held = file.read()
    assert not [text for text in (SERIAL, "张某某", "11010119900307109X") if text.encode() in held]


def test_a_posted_item_takes_its_claimant_too(on_sqlite):
    payload = {"party": {"code": credit_code()}, "type": "report", "claimant_id": "11010119900307109X"}
    checked = records.check("item_12315", payload, organ="信衡市市场监督管理局", today=TODAY)
    assert len(checked.statement.detail["claimant_hash"]) == 64


def test_handlers_see_who_complains_in_series_and_not_who_it_is(settings):
    entity = registered()
    series(entity, LIMIT_ITEMS + 2)
    cap_all()
    (one,) = complaints.serial_claimants()
    assert complaints.serial_claimants(["9901"]) == [one]
    assert complaints.serial_claimants(["9902"]) == []
    assert (one.items, one.entities, one.capped) == (LIMIT_ITEMS + 2, 1, LIMIT_ITEMS + 2 - CAP_ITEMS)
    assert SERIAL not in one.pseudonym


# --- publicity ------------------------------------------------------------------------------------------------------


def closed(entity, *, day=date(2026, 5, 1), phone=None, **given):
    return record(
        entity, "item_12315", **{"received_on": day, "closed_on": day + timedelta(days=20), "category": "家电", "claimant_phone": phone, **given}
    )  # fmt: skip


def test_accepted_closed_complaints_are_published_by_category(settings):
    entity = registered()
    for _ in range(3):
        closed(entity, settled=True)
    closed(entity, mediation_refused=True)
    for _ in range(3):
        closed(entity, category="食品", upheld=False)
    found = complaints.publicity(entity, YEAR)
    assert found.total.as_dict() == {"accepted": 7, "settled": 3, "mediation_refused": 1, "upheld": 4}
    assert [(name, counts.accepted) for name, counts in found.by_category.items()] == [("家电", 4), ("食品", 3)]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"closed_on": None, "upheld": None}, "open"),
        ({"accepted": False, "upheld": None}, "not_accepted"),
        ({"accepted": None, "upheld": None}, "not_accepted"),
        ({"dropped": True, "upheld": None}, "withdrawn"),
        ({"type": "report"}, "no_complaint"),
        ({"type": "consultation", "accepted": None, "upheld": None}, "no_complaint"),
    ],
)
def test_what_is_no_closed_accepted_complaint_is_left_out(on_sqlite, given, why):
    entity = registered()
    closed(entity, **given)
    found = complaints.publicity(entity, YEAR)
    assert (found.total.accepted, found.by_category, found.left_out) == (0, {}, {why: 1})


def test_items_made_in_series_and_records_that_were_withdrawn_or_repaired_are_left_out(settings):
    entity = registered()
    for place in range(LIMIT_ITEMS + 2):
        closed(entity, day=date(2026, 1, 5) + timedelta(days=place), phone=SERIAL)
    gone, repaired = closed(entity), closed(entity)
    (identity,) = identities([repaired.seq])
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone.seq, source="test", reason="x")
        pen.step(
            "repair_decided",
            about=identity,
            entity=entity,
            key=[1],
            on=TODAY,
            detail={},
            by="test",
            leaves_out="repaired",
        )
    found = complaints.publicity(entity, YEAR)
    assert (found.total.accepted, found.left_out) == (0, {"serial": LIMIT_ITEMS + 2, "not_counted": 1})
    cap_all()
    assert complaints.publicity(entity, YEAR).left_out == found.left_out


def test_a_category_of_few_is_not_named(on_sqlite):
    entity = registered()
    for category in ("婚庆", "丧葬", "家电", "家电", "家电"):
        closed(entity, category=category)
    assert [(name, one.accepted) for name, one in complaints.publicity(entity, YEAR).by_category.items()] == [
        ("家电", 3),
        ("其他", 2),
    ]


def test_a_period_is_of_days_of_receipt_and_both_ends_belong_to_it(on_sqlite):
    entity = registered()
    for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1)):
        closed(entity, day=day)
    assert complaints.publicity(entity, Period(date(2026, 1, 1), date(2026, 4, 20))).total.accepted == 2
    assert complaints.publicity(entity, YEAR).total.accepted == 3
    with pytest.raises(BadPeriod):
        Period(date(2026, 1, 2), date(2026, 1, 1))


def test_what_is_published_names_the_rules_and_no_item_and_not_what_was_left_out(on_sqlite):
    entity = registered()
    closed(entity, phone=SERIAL, remark="投诉人张某某")
    said = complaints.publicity(entity, YEAR).public()
    assert set(said) == {
        "from",
        "to",
        "accepted",
        "settled",
        "mediation_refused",
        "upheld",
        "by_category",
        "parameters",
    }
    assert {one["basis"] for one in said["parameters"]} == {"产品默认值,无法定依据"}
    assert "张某某" not in str(said)


def test_many_complaints_cost_as_many_queries_as_one(on_sqlite, count_queries):
    entity = registered()

    def cost():
        with count_queries() as queries:
            complaints.publicity(entity, YEAR)
        return len(queries)

    closed(entity, phone=SERIAL)
    one = cost()
    for number in range(10):
        closed(entity, phone=f"1380000{number:04d}")
    assert cost() == one


# --- parameters -----------------------------------------------------------------------------------------------------


def test_every_parameter_says_what_it_rests_on():
    for parameter in PARAMETERS.values():
        for one in parameter.values:
            assert one.basis
            assert parameter.as_dict(one.since)["value"] == one.value


GOOD = '[p]\ntitle = {{ zh = "参", en = "p" }}\n[[p.value]]\nfrom = 2020-01-01\nvalue = {}\nbasis_kind = "{}"\n'


def test_a_parameter_holds_from_its_day_and_the_first_one_before_it():
    text = (
        GOOD.format(1, "product_default")
        + '[[p.value]]\nfrom = 2021-01-01\nvalue = 2\nbasis_kind = "statute"\nbasis = "法"\n'
    )
    parameter = parameters.read(text, "p.toml")["p"]
    days = [date(2019, 1, 1), date(2020, 12, 31), date(2021, 1, 1)]
    assert [parameter.on(day).value for day in days] == [1, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.format(1, "guess"),
        GOOD.format(1, "statute"),
        GOOD.format(-1, "product_default"),
        GOOD.format('"1"', "product_default"),
        '[p]\ntitle = { zh = "参", en = "p" }\nvalue = []\n',
        "[p]\nvalue = 1\n",
        GOOD.format(1, "product_default")
        + '[[p.value]]\nfrom = 2020-01-01\nvalue = 2\nbasis_kind = "product_default"\n',
    ],
)
def test_a_parameter_that_is_not_in_order_is_refused_by_name(text):
    with pytest.raises(ConfigError, match=r"p\.toml: \[p\]"):
        parameters.read(text, "p.toml")


def test_a_day_number_of_a_claim_is_the_day_of_receipt(on_sqlite):
    complain(registered(), date(2026, 6, 6))
    assert clock.day_of(Claim.get().day) == date(2026, 6, 6)


def test_items_of_a_file_take_their_claimants_as_hashes(settings, tmp_path):
    code = credit_code()
    entity = registered(code)
    path = tmp_path / "items.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["登记编号", "信息类型", "登记时间", "统一社会信用代码", "被投诉人", "投诉人", "投诉人电话", "是否受理", "是否属实", "办结时间", "商品服务类别"])  # fmt: skip
        table.writerow(
            ["T1", "投诉", "2026-06-06", code, "信衡示例", "张某某", SERIAL, "是", "属实", "2026-07-01", "家电"]
        )
        table.writerow(
            [
                "T2",
                "举报",
                "2026-06-07",
                code,
                "信衡示例",
                "张某某",
                f"+86 {SERIAL}",
                "立案",
                "不属实",
                "2026-07-01",
                "家电",
            ]
        )
        table.writerow(["T3", "咨询", "2026-06-08", code, "信衡示例", "李某", OTHER, "", "", "", ""])
    assert counts_of(imported(settings, path)) == {"stored": 3}
    assert len({row.claimant for row in Claim.select()}) == 1
    assert Claim.select().count() == 2
    assert counting(entity) == 1
    assert not [row for row in Record.select() if SERIAL in str(row.detail) or "张某某" in str(row.detail)]
