"""Two sides compare one day without sending it twice; a record is asked for and mended by its document number."""

import hashlib
import re
import subprocess
from datetime import date

import pytest

from registry.config import ROOT
from registry.services import entities, ledger, reconciliation
from tests.api.conftest import ORGAN, calls, penalty
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.deeds import shown

DAY = 86_400_000
NUMBER = "信市监处罚〔2026〕900号"


@pytest.fixture
def code(settings):
    code = credit_code()
    registered(code)
    return code


def asked(code, number=NUMBER, **more):
    return {"document_no": number, "code": code, **more}


def path(rest="", kind="penalty"):
    return f"/api/v1/records/{kind}/by-document{rest}"


# --- by document ----------------------------------------------------------------------------------------------------


def test_an_organ_asks_by_number_and_party_what_became_of_a_record(officer, code):
    seq = officer.post("/api/v1/records/penalty", penalty(code)).json["seq"]
    found = officer.get(path(), **asked(code, "信市监处罚[2026]第0900号")).json
    assert (found["said"], found["seq"], found["counted"], found["why_not"]) == ("stored", seq, True, None)
    assert found["publication"] == []
    shown(seq)
    channels = officer.get(path(), **asked(code)).json["publication"]
    assert {one["channel"]: one["state"] for one in channels}["site"] == "published"


def test_it_corrects_and_withdraws_by_number_and_repeating_changes_nothing(officer, code):
    first = officer.post("/api/v1/records/penalty", penalty(code)).json["seq"]
    better = {"reason": "金额有误", "record": penalty(code, kinds=["fine"], fine_fen=100_00)}
    url = f"{path('/correction')}?document_no={NUMBER}&code={code}"
    done = officer.post(url, better)
    assert (done.status_code, done.json["said"]) == (201, "corrected")
    assert officer.post(url, better).json == {"said": "unchanged", "seq": done.json["seq"]}
    status = officer.get(path(), **asked(code)).json
    assert (status["said"], status["first_seq"], status["corrections"]) == ("corrected", first, 1)
    gone = f"{path('/withdrawal')}?document_no={NUMBER}&code={code}"
    assert officer.post(gone, {"reason": "行政复议撤销"}).json["said"] == "withdrawn"
    assert officer.post(gone, {"reason": "行政复议撤销"}).json["said"] == "unchanged"
    status = officer.get(path(), **asked(code)).json
    assert (status["said"], status["counted"], status["why_not"]["code"]) == ("withdrawn", False, "withdrawn")
    assert officer.post(url, better).json["code"] == "record_conflict"


def test_the_same_request_with_the_same_key_is_answered_in_the_same_words(officer, code):
    officer.post("/api/v1/records/penalty", penalty(code))
    url = f"{path('/withdrawal')}?document_no={NUMBER}&code={code}"
    first, second = (officer.post(url, {"reason": "撤销"}, {"Idempotency-Key": "w1"}) for _ in range(2))
    assert first.data == second.data
    assert second.headers["Idempotent-Replay"] == "true"
    other = f"{path('/withdrawal')}?document_no=别的号&code={code}"
    assert officer.post(other, {"reason": "撤销"}, {"Idempotency-Key": "w1"}).json["code"] == "idempotency_conflict"


def test_one_number_on_several_batches_is_refused_with_the_numbers_to_choose_from(officer, code):
    seqs = [
        officer.post(
            "/api/v1/records/product_sampling",
            {"party": {"code": code}, "document_no": "检2026-1", "product": "示例糕点", "batch": batch, "result": "合格", "sampled_on": "2026-04-01"},
        ).json["seq"]
        for batch in ("一", "二")
    ]  # fmt: skip
    refused = officer.get(path(kind="product_sampling"), **asked(code, "检2026-1"))
    assert (refused.status_code, refused.json["code"], refused.json["candidates"]) == (409, "record_conflict", seqs)


def test_what_is_another_organs_is_absent_and_its_name_is_refused(app, officer, code):
    officer.post("/api/v1/records/penalty", penalty(code))
    tax = calls(app, "tax", ["records:write"], organ="信衡市税务局")
    assert tax.get(path(), **asked(code)).json["code"] == "record_not_found"
    assert tax.get(path(), **asked(code, organ=ORGAN)).json["code"] == "not_allowed"
    assert officer.get(path(), **asked(code, organ=ORGAN)).json["said"] == "stored"


def test_every_wrong_address_says_what_is_wrong(officer, code):
    assert officer.get(path(), **asked(code)).json["code"] == "record_not_found"
    assert officer.get(path(), **asked(credit_code())).json["code"] == "entity_not_found"
    assert officer.get(path(), **asked(code, "  ")).json["code"] == "bad_record"
    assert officer.get(path(kind="nonsense"), **asked(code)).json["code"] == "unknown_kind"
    assert officer.get(path(), code=code).json["problems"].keys() == {"document_no"}


def test_a_record_that_waits_says_why_it_does_not_count(officer, code):
    entity = entities.get(code).id
    from tests.factories import statement

    with ledger.writing(now=NOW, schemes=[]) as pen:
        said = statement("penalty", document_no=NUMBER, organ=ORGAN, kinds=["revoked_licence"])
        pen.state([(entity, said)], source="file", matched=["name"])
    found = officer.get(path(), **asked(code)).json
    assert (found["counted"], found["why_not"]["code"]) == (False, "by_name")


# --- a day ----------------------------------------------------------------------------------------------------------


def test_a_day_is_counted_by_source_and_kind_and_only_what_is_of_the_organ(app, officer, code):
    entity = entities.get(code).id
    officer.post("/api/v1/records/penalty", penalty(code))
    record(entity, source="file-a")
    record(entity, source="file-a", organ="信衡市税务局")
    record(entity, source="file-a", now=NOW + DAY)  # of the next day
    found = officer.get("/api/v1/reconciliation", date="2026-11-21").json
    shown = {
        one["source"]: (one["records"], one["stored"], [kind["kind"] for kind in one["kinds"]])
        for one in found["sources"]
    }
    assert shown == {"file-a": (1, 1, ["penalty"]), "organ": (1, 1, ["penalty"])}
    tax = calls(app, "tax", ["exchange:read"], organ="信衡市税务局")
    assert [one["records"] for one in tax.get("/api/v1/reconciliation", date="2026-11-21").json["sources"]] == [1]
    assert officer.get("/api/v1/reconciliation").json["date"] == "2026-11-20"


def test_a_day_says_what_was_corrected_withdrawn_and_what_waits(officer, code, settings):
    entity = entities.get(code).id
    one, two = record(entity, source="a").seq, record(entity, source="a").seq
    with ledger.writing(now=NOW + DAY, schemes=[]) as pen:
        pen.withdraw(one, source="a", reason="撤销")
    from registry.services import records

    row = records.Record.get(records.Record.seq == two)
    from tests.factories import statement

    with ledger.writing(now=NOW + DAY, schemes=[]) as pen:
        pen.correct(two, statement("penalty", document_no=row.document_no, fine_fen=1_00), source="a")
    (source,) = officer.get("/api/v1/reconciliation", date="2026-11-22").json["sources"]
    assert (source["records"], source["stored"], source["corrected"], source["withdrawn"]) == (2, 0, 1, 1)


def test_lines_are_paged_in_order_and_add_up_to_the_sum(officer, code):
    entity = entities.get(code).id
    for _ in range(5):
        record(entity, source="a")
    (source,) = officer.get("/api/v1/reconciliation", date="2026-11-21", source="a").json["sources"]
    lines, token = [], None
    while token is not None or not lines:
        page = officer.get(
            "/api/v1/reconciliation/lines",
            date="2026-11-21",
            source="a",
            limit=2,
            **({"after": token} if token else {}),
        ).json
        lines, token = lines + page["items"], page["next"]
    assert len(lines) == 5
    assert hashlib.sha256("\n".join(sorted(one["line"] for one in lines)).encode()).hexdigest() == source["sha256"]
    assert all(hashlib.sha256(one["line"].encode()).hexdigest() == one["sha256"] for one in lines)


def test_the_example_of_the_page_is_what_the_registry_computes(settings):
    """docs/integrations.md: the commands that it shows give the sums that it shows, and so does the registry."""
    text = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(penalty\|.*)$", text, re.MULTILINE)
    sums = re.findall(r"^([0-9a-f]{64})\b", text, re.MULTILINE)
    (command,) = re.findall(r"^\$ (printf .*)$", text, re.MULTILINE)
    run = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert [run.split()[0]] == sums
    parsed = [
        reconciliation.Line(kind, number, code, day, int(fen), state == "1")
        for kind, number, code, day, fen, state in (line.split("|") for line in lines)
    ]
    assert [line.text for line in parsed] == lines
    assert reconciliation.total(parsed) == reconciliation.total(reversed(parsed)) == sums[0]
    assert len(lines) == 2


def test_two_sides_find_what_either_lacks(settings):
    code, other = credit_code(), credit_code()
    one, two = registered(code), registered(other)
    record(one, source="a", document_no="信市监处罚〔2026〕1号")
    seq = record(one, source="a", document_no="信市监处罚〔2026〕2号").seq
    record(two, source="a", document_no="信市监处罚〔2026〕3号")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(seq, source="a", reason="撤销")
    found = reconciliation.day(TODAY, organ=None, zone="Asia/Shanghai")
    theirs = [("信市监处罚[2026]第1号", code), ("信市监处罚〔2026〕2号", code.lower()), ("信市监处罚〔2026〕4号", code)]
    compared = reconciliation.compare(theirs, found, source="a", organ=None, kind="penalty")
    assert compared.same == 1
    assert compared.withdrawn == [theirs[1]]
    assert compared.unknown == [theirs[2]]
    assert compared.extra == [("信市监处罚[2026]3号", other)]
    assert compared.agree is False


def test_a_page_of_lines_reads_a_page_and_an_evening_stands_once(settings, count_queries):
    entity = registered()
    seqs = [record(entity, source="a", organ=ORGAN).seq for _ in range(5)]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        gone = pen.withdraw(seqs[0], source="a", reason="撤销").seq
    with ledger.writing(now=NOW + DAY, schemes=[]) as pen:
        pen.withdraw(seqs[1], source="a", reason="撤销")
    asked = {"organ": ORGAN, "zone": "Asia/Shanghai", "source": "a", "limit": 2}
    lines, after = [], None
    while not lines or after is not None:
        with count_queries() as sent:
            page = reconciliation.page(TODAY, after=after, **asked)
        assert next(sql for sql in sent if "FROM record r" in sql).rstrip().endswith(("LIMIT ?", "LIMIT %s"))
        lines, after = lines + page.items, page.next
    assert [(line.seq, line.holds) for line in lines] == [*((seq, True) for seq in seqs[1:]), (gone, False)]
    found = reconciliation.day(TODAY, organ=ORGAN, zone="Asia/Shanghai")
    assert reconciliation.total(lines) == reconciliation.total(found.sources["a"]["penalty"].lines)


def test_a_day_of_ten_records_costs_as_many_queries_as_one_of_one(settings, count_queries):
    entity = registered()
    counts = []
    for number in (1, 10):
        for _ in range(number):
            record(entity, source="a", decided_on=date(2026, 3, 2))
        with count_queries() as sent:
            reconciliation.day(TODAY, organ=ORGAN, zone="Asia/Shanghai")
        counts.append(len(sent))
    assert counts[0] == counts[1]
