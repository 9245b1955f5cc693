"""A benchmark in the ledger: real records of made-up entities, told the same way twice, and nothing of real parties."""

import pytest

from registry import clock
from registry.identity import check_code, read_identifier
from registry.models import Entity, Fact, Record
from registry.services import benchmark_files, benchmark_import, benchmark_mapping, ledger, seal, verify
from registry.services.benchmark_import import NotABenchmark, credit_codes
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.benchmarking import written


def loaded(settings, folder, **given):
    mapping = benchmark_mapping.load(written(folder, **given))
    rows = benchmark_files.read(mapping, folder)
    return benchmark_import.load(settings, mapping, rows, today=TODAY, now=lambda: NOW)


def test_every_row_becomes_a_record_of_its_kind(settings, tmp_path):
    found = loaded(settings, tmp_path)
    assert found.counts == {"entities": 4, "spot_check": 5, "penalty": 1, "item_12315": 1, "licence": 2}
    seq = dict(found.visits.select("id", "seq").iter_rows())
    check = Record.get(Record.seq == seq["1"])
    assert (check.kind, check.code, check.happened_on.isoformat()) == ("spot_check", 3, "2018-01-05")
    assert (check.detail["purpose"], check.detail["serious_found"], check.detail["minor_found"]) == ("routine", 1, 2)
    assert Record.get(Record.kind == "penalty").entity_id == check.entity_id


def test_the_findings_of_a_visit_are_facts_by_severity(on_sqlite, tmp_path):
    seq = dict(loaded(on_sqlite, tmp_path).visits.select("id", "seq").iter_rows())
    facts = Fact.select().where((Fact.known == seq["1"]) & (Fact.kind == 19)).order_by(Fact.part)
    assert [(fact.severity, fact.code, fact.amount) for fact in facts] == [(0, 1, 0), (1, 1, 2), (3, 1, 1)]


def test_loading_again_changes_nothing(settings, tmp_path):
    first = loaded(settings, tmp_path)
    head = ledger.head()
    again = loaded(settings, tmp_path)
    assert ledger.head() == head
    assert again.visits.equals(first.visits)


def test_the_ledger_of_a_benchmark_stands_the_tamper_check(on_sqlite, tmp_path):
    seal.make_log(on_sqlite, now=NOW)
    loaded(on_sqlite, tmp_path)
    assert verify.verify(on_sqlite).findings == []


def test_nothing_of_a_real_party_is_in_the_registry(on_sqlite, tmp_path):
    shops = "shop,opened,rank\nGolden Dragon 88,01/02/2010,high\n"
    visits = "number,shop,day,reason,grave,slight,fined\nV777,Golden Dragon 88,2018-01-05,Planned,1,0,\n"
    loaded(on_sqlite, tmp_path, shops=shops, visits=visits, complaints="shop,day\n", licences="shop,from,until\n")
    assert [one.name for one in Entity.select()] == ["made_up 1"]
    told = "".join(f"{one.identity}{one.detail}{one.document_no}{one.organ}" for one in Record.select())
    assert "Dragon" not in told
    assert "V777" not in told


def test_a_registry_that_holds_something_else_is_left_alone(settings, tmp_path):
    registered()
    head = ledger.head()
    with pytest.raises(NotABenchmark, match="must never mix"):
        loaded(settings, tmp_path)
    assert ledger.head() == head


def test_codes_pass_the_check_of_the_product_and_say_nothing_of_the_id():
    codes = credit_codes("made_up", [str(number) for number in range(2_000)])
    assert len(set(codes.values())) == 2_000
    assert all(check_code(code) == () for code in codes.values())
    assert {read_identifier(code).kind for code in codes.values()} == {"credit_code"}
    assert codes["7"] == credit_codes("made_up", ["7"])["7"] != credit_codes("other", ["7"])["7"]


def test_feeds_are_covered_from_their_first_record_on(on_sqlite, tmp_path):
    from registry.services import frames

    loaded(on_sqlite, tmp_path)
    since = {(kind, clock.day_of(day).isoformat()) for kind, _, day, _ in frames.coverage(ledger.head()).iter_rows()}
    assert {(5, "2018-01-05"), (19, "2018-01-05"), (6, "2018-03-01"), (8, "2017-01-01"), (2, "2018-01-05")} <= since
