"""Exports and batches over HTTP: who may fetch what, and what never leaves."""

import csv
import dataclasses
import io
from datetime import date

import openpyxl
import pytest

from api.app import create_app
from registry import database
from registry.models import Record
from registry.services import ledger
from tests.api.conftest import ORGAN, calls
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered

READER = ["exchange:read"]


@pytest.fixture
def exchange(settings, tmp_path):
    return with_folder(settings, tmp_path)


@pytest.fixture
def lone_exchange(on_sqlite, tmp_path):
    return with_folder(on_sqlite, tmp_path)


def with_folder(settings, tmp_path):
    given = dataclasses.replace(settings.exchange, outbound=str(tmp_path / "outbound"))
    return create_app(dataclasses.replace(settings, exchange=given), today=lambda: TODAY, now=lambda: NOW)


def numbers(reply):
    text = reply.get_data(as_text=True).removeprefix("\ufeff")
    return [row["行政处罚决定文书号"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def printed(one):
    return Record.get(Record.seq == one.seq).detail["printed_no"]


def test_an_export_has_the_records_of_the_keys_organ_and_divisions(exchange):
    here, there = registered(credit_code(division="990101")), registered(credit_code(division="990202"))
    mine, far, others = record(here), record(there), record(here, organ="信衡市公安局")
    path = "/api/v1/exports/penalty.csv"
    whole = calls(exchange, "whole", READER).get(path)
    assert (whole.mimetype, numbers(whole)) == ("text/csv", [printed(mine), printed(far)])
    assert numbers(calls(exchange, "district", READER, divisions=["9901"]).get(path)) == [printed(mine)]
    wide = calls(exchange, "wide", [*READER, "entities:read"])
    assert numbers(wide.get(path)) == [printed(mine), printed(far), printed(others)]
    assert numbers(wide.get(path, organ="信衡市公安局", since=far.seq)) == [printed(others)]
    refused = calls(exchange, "curious", READER).get(path, organ="信衡市公安局")
    assert (refused.status_code, refused.json["code"]) == (403, "missing_scope")
    assert calls(exchange, "nobody", ["entities:read"]).get(path).status_code == 403


def test_withdrawn_and_repaired_records_are_in_no_form_of_an_export(exchange):
    entity = registered()
    record(entity)
    gone, repaired = record(entity), record(entity)
    words = [printed(one) for one in (gone, repaired)]
    identity = Record.get(Record.seq == repaired.seq).identity
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone.seq, source="test", reason="撤销")
        pen.step(
            "repaired", about=identity, entity=entity, key=[1], on=TODAY, detail={}, by="test", leaves_out="repaired"
        )
    key = calls(exchange, "reader", READER)
    assert len(numbers(key.get("/api/v1/exports/penalty.csv"))) == 1
    for form in ("csv", "json"):
        assert not [word for word in words if word in key.get(f"/api/v1/exports/penalty.{form}").get_data(as_text=True)]
    book = openpyxl.load_workbook(io.BytesIO(key.get("/api/v1/exports/penalty.xlsx").data)).active
    assert (book.max_row, book.max_column) == (2, 30)


def test_an_export_takes_template_headings_and_one_entity(lone_exchange):
    code = credit_code()
    record(registered(code))
    record(registered())
    key = calls(lone_exchange, "reader", READER)
    reply = key.get("/api/v1/exports/penalty.csv", template="penalty-2018", headings="code", entity=code)
    (row,) = csv.DictReader(io.StringIO(reply.get_data(as_text=True).removeprefix("\ufeff"), newline=""))
    assert (row["CF_XDR_SHXYM"], "CF_XDR_LB" in row) == (code, False)
    assert 'filename="penalty-2018.csv"' in reply.headers["Content-Disposition"]
    (one,) = key.get("/api/v1/exports/penalty.json", entity=code).json
    assert (one["uniscid"], one["penDecIssDate"]) == (code, 1_772_380_800_000)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/exports/recall.csv", 404, "unknown_template"),
        ("/api/v1/exports/penalty.csv?template=penalty-1999", 404, "unknown_template"),
        ("/api/v1/exports/licence.json", 404, "unknown_template"),
        ("/api/v1/exports/penalty.pdf", 404, "no_such_path"),
        ("/api/v1/exports/penalty.csv?entity=91990101MA00000000", 404, "entity_not_found"),
        ("/api/v1/exports/penalty.csv?since=soon", 422, "invalid_request"),
    ],
)
def test_an_export_that_cannot_be_made_says_why(lone_exchange, path, status, code):
    reply = calls(lone_exchange, "reader", READER).get(path)
    assert (reply.status_code, reply.json["code"]) == (status, code)


def test_a_stream_gives_its_connection_back(exchange):
    record(registered())
    key = calls(exchange, "reader", READER)
    for _ in range(3):
        assert len(numbers(key.get("/api/v1/exports/penalty.csv"))) == 1
    assert len(database.db.obj._in_use) <= 1


def batch(who, **given):
    return who.post("/api/v1/outbound", {"recipient": "sharing_platform", "kind": "penalty", **given})


def test_a_batch_is_made_sent_answered_and_sent_again(exchange):
    entity = registered()
    for _ in range(2):
        record(entity, decided_on=date(2026, 11, 2))
    officer = calls(exchange, "officer", [*READER, "records:review"])
    made = batch(officer)
    assert (made.status_code, made.json["rows"], made.json["left_out"]) == (201, 2, {})
    path = f"/api/v1/outbound/{made.json['id']}"
    assert len(numbers(officer.get(f"{path}/file"))) == 2
    assert officer.post(f"{path}/sent", {"on": "2026-11-21"}).json["state"] == "sent"
    said = {"rows": [{"row": 2, "said": "accepted"}, {"row": 3, "said": "refused", "reason": "代码有误"}]}
    answered = officer.post(f"{path}/answer", said)
    assert (answered.json["state"], answered.json["accepted"], answered.json["refused"]) == ("answered", 1, 1)
    read = officer.get(path).json
    assert [(row["said"], row["reason"], row["due_on"]) for row in read["items"]] == [
        ("accepted", "", "2026-11-11"), ("refused", "代码有误", "2026-11-11"),
    ]  # fmt: skip
    again = officer.post(f"{path}/resend")
    assert (again.status_code, again.json["rows"], again.json["resend_of"]) == (201, 1, made.json["id"])
    listed = officer.get("/api/v1/outbound").json["items"]
    assert [one["id"] for one in listed] == [again.json["id"], made.json["id"]]
    (rate,) = officer.get("/api/v1/statistics/reporting", recipient="sharing_platform").json["items"]
    assert (rate["organ"], rate["month"], rate["sent"], rate["late_7"], rate["refused"]) == (ORGAN, "2026-11", 2, 2, 1)


def test_a_repeated_request_makes_one_batch(lone_exchange):
    record(registered())
    officer = calls(lone_exchange, "officer", ["records:review"])
    header = {"Idempotency-Key": "monday"}
    body = {"recipient": "sharing_platform", "kind": "penalty"}
    first, again = (officer.post("/api/v1/outbound", body, headers=header) for _ in range(2))
    assert first.json == again.json
    empty = batch(officer)
    assert (empty.status_code, empty.json["code"]) == (422, "nothing_to_send")


def test_batches_are_the_organs_own_and_making_one_needs_the_right_to(lone_exchange):
    record(registered())
    made = batch(calls(lone_exchange, "officer", ["records:review"]))
    stranger = calls(lone_exchange, "stranger", [*READER, "records:review"], organ="信衡市公安局")
    path = f"/api/v1/outbound/{made.json['id']}"
    for reply in (
        stranger.get(path),
        stranger.get(f"{path}/file"),
        stranger.post(f"{path}/sent", {"on": "2026-11-21"}),
    ):
        assert (reply.status_code, reply.json["code"]) == (404, "batch_not_found")
    assert stranger.get("/api/v1/outbound").json["items"] == []
    assert batch(calls(lone_exchange, "reader", READER)).status_code == 403


def test_reporting_of_other_organs_needs_the_right_to_read_them(lone_exchange):
    record(registered(), organ="信衡市公安局", decided_on=date(2026, 10, 9))
    own = calls(lone_exchange, "own", READER).get("/api/v1/statistics/reporting")
    wide = calls(lone_exchange, "wide", [*READER, "entities:read"]).get("/api/v1/statistics/reporting")
    assert own.json["items"] == []
    assert [(one["organ"], one["overdue"]) for one in wide.json["items"]] == [("信衡市公安局", 1)]
