"""Sending files for import, asking how far they are, and what a key may send."""

import dataclasses
import io

import pytest

from api.app import create_app
from jobs.run import Run
from jobs.tasks.files import import_files
from registry.models import Fact, ImportRun, Record, SealLog, Uncounted, Unmatched, Upload
from registry.services import deciding, seal
from registry.services.deciding import Who
from tests.api.conftest import ORGAN, calls
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.jobs.test_files import csv_bytes, rows
from tests.registry.sealing import said, sealed

WRITER = ["imports:write"]


@pytest.fixture
def spooled(settings, tmp_path):
    return with_spool(settings, tmp_path)


@pytest.fixture
def lone_spooled(on_sqlite, tmp_path):
    return with_spool(on_sqlite, tmp_path)


def with_spool(settings, tmp_path):
    given = dataclasses.replace(settings.import_, spool=str(tmp_path / "spool"), max_file_mb=1)
    return create_app(dataclasses.replace(settings, import_=given), today=lambda: TODAY, now=lambda: NOW)


def settings_of(app):
    return app.extensions["xinheng"].settings


def send(who, content, *, name="penalties.csv", headers=None, **options):
    return who.post(
        "/api/v1/imports",
        headers=headers,
        data={"file": (io.BytesIO(content), name), **options},
        content_type="multipart/form-data",
    )


def work(app):
    import_files(Run("import_files", settings=settings_of(app), now=lambda: NOW, must_stop=lambda: ""), today=TODAY)


def spool_of(app):
    folder = settings_of(app).path(settings_of(app).import_.spool)
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def test_a_file_that_was_sent_is_imported_and_can_be_followed(spooled):
    key = calls(spooled, "feed", WRITER)
    sent = send(key, csv_bytes([*rows([credit_code(), credit_code()]), ["某", "123", "号", "昨天", "", "", ""]]))
    assert sent.status_code == 202
    where = sent.headers["Location"]
    assert (sent.json["state"], sent.json["position"], sent.json["source"]) == ("waiting", 0, ORGAN)
    first = key.get(where)
    assert key.get(where, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    work(spooled)
    done = key.get(where, headers={"If-None-Match": first.headers["ETag"]})
    assert (done.status_code, done.json["state"], done.json["position"], done.json["rows"]) == (200, "done", 3, 3)
    assert {name: done.json["counts"][name] for name in ("read", "stored", "rejected")} == {
        "read": 3,
        "stored": 2,
        "rejected": 1,
    }
    assert done.json["understanding"]["mapping"] == "penalty-legal-person"
    rejected = key.get(done.json["rejected_file"])
    assert (rejected.mimetype, rejected.text.count("\r\n")) == ("text/csv", 2)
    assert "处罚决定日期" in rejected.text
    (listed,) = key.get("/api/v1/imports").json["items"]
    assert listed["id"] == sent.json["id"]
    assert "understanding" not in listed


def test_the_same_file_again_is_the_same_upload(spooled):
    key, content = calls(spooled, "feed", WRITER), csv_bytes(rows([credit_code()]))
    first, again = send(key, content), send(key, content, name="again.csv")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json["id"] == again.json["id"]
    assert again.headers["Location"] == first.headers["Location"]
    assert len(spool_of(spooled)) == 1
    work(spooled)
    assert (send(key, content).status_code, Upload.select().count(), spool_of(spooled)) == (200, 1, [])
    other = send(calls(spooled, "other", WRITER), content)
    assert (other.status_code, other.json["id"] != first.json["id"]) == (202, True)


def test_an_idempotency_key_stands_for_one_file(lone_spooled):
    key, content = calls(lone_spooled, "feed", WRITER), csv_bytes(rows([credit_code()]))
    header = {"Idempotency-Key": "monday"}
    first, again = send(key, content, headers=header), send(key, content, headers=header)
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replay"]) == (202, 202, "true")
    assert first.json == again.json
    assert again.headers["Location"] == first.headers["Location"]
    other = send(key, csv_bytes(rows([credit_code()])), headers=header)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")
    assert len(spool_of(lone_spooled)) == 1


def test_a_dry_run_answers_what_was_understood(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    sent = send(key, csv_bytes(rows([credit_code()])), dry_run="true", mapping="penalty-legal-person")
    work(lone_spooled)
    said = key.get(sent.headers["Location"]).json
    assert (said["state"], said["dry_run"], said["counts"]["stored"], Record.select().count()) == ("done", True, 1, 0)
    assert said["understanding"]["file"] == "penalties.csv"
    assert said["understanding"]["first_rows"][0]["record"]["amount_fen"] == 2_000_00


def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_stays(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    for size in (1_000_000, 1 << 20):
        assert send(key, b"x" * size).status_code == 202
    for size in ((1 << 20) + 1, 3 << 20):
        refused = send(key, b"x" * size)
        assert (refused.status_code, refused.json["code"]) == (413, "file_too_large")
        assert "max_file_mb" in refused.json["detail"]
    assert len(spool_of(lone_spooled)) == 2


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"mapping": "../../etc/passwd"}, 422, "name of a mapping"),
        ({"mapping": "mine.toml"}, 422, "name of a mapping"),
        ({"kind": "recalls"}, 422, "kind"),
        ({"maping": "penalty-tax"}, 422, "Known are: file, kind, mapping"),
        ({"source": "信衡市公安局"}, 403, "imports as 信衡市市场监督管理局"),
        ({"dry_run": "perhaps"}, 422, "dry_run"),
        ({"kind": "registration"}, 403, "registrations:write"),
    ],
)
def test_options_that_are_refused_say_why_and_leave_no_file(lone_spooled, form, status, said):
    refused = send(calls(lone_spooled, "feed", WRITER), csv_bytes(rows([credit_code()])), **form)
    assert refused.status_code == status
    assert said in refused.json["detail"]
    assert (spool_of(lone_spooled), Upload.select().count()) == ([], 0)


def test_an_option_that_is_given_twice_or_a_thousand_times_is_refused_by_name(lone_spooled):
    app = lone_spooled
    key = calls(app, "sender", ["imports:write"])
    twice = send(key, b"a", mapping=["penalty-tax", "penalty-tax"])
    assert (twice.status_code, [*twice.json["problems"]]) == (422, ["mapping"])
    many = send(key, b"a", mapping=["x"] * 2_000)
    assert (many.status_code, [*many.json["problems"]]) == (422, ["form"])
    assert "Send `file` and the options" in many.json["problems"]["form"][0]


def test_a_body_that_is_no_such_form_is_refused(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    assert key.post("/api/v1/imports", {"file": "x"}).status_code == 400
    form = {"content_type": "multipart/form-data"}
    assert key.post("/api/v1/imports", data={"dry_run": "true"}, **form).status_code == 422
    assert key.post("/api/v1/imports", data={"other": (io.BytesIO(b"x"), "a.csv")}, **form).status_code == 422
    two = {"file": [(io.BytesIO(b"x"), "a.csv"), (io.BytesIO(b"y"), "b.csv")]}
    assert key.post("/api/v1/imports", data=two, **form).status_code == 422
    cut = key.post("/api/v1/imports", data=b"--x\r\nContent-Dispo", content_type="multipart/form-data; boundary=x")
    assert cut.status_code == 400
    assert key.post("/api/v1/imports", data={"kind": "x" * 50_000}, **form).status_code in (413, 422)
    assert spool_of(lone_spooled) == []


def test_a_system_of_the_organ_may_have_its_own_source(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    assert send(key, csv_bytes(rows([credit_code()])), source=f"{ORGAN}/执法办案系统").status_code == 202
    work(lone_spooled)
    assert Record.get().source == f"{ORGAN}/执法办案系统"


def test_registrations_come_from_a_key_that_may(lone_spooled):
    content = csv_bytes(
        [["信衡示例有限公司", credit_code(), "2020-01-01"]], ["企业名称", "统一社会信用代码", "成立日期"]
    )
    plain = calls(lone_spooled, "feed", WRITER)
    register = calls(lone_spooled, "register", ["imports:write", "registrations:write"])
    places = [send(who, content).headers["Location"] for who in (plain, register)]
    work(lone_spooled)
    said = [who.get(where).json for who, where in zip((plain, register), places, strict=True)]
    assert [one["state"] for one in said] == ["refused", "done"]
    assert "registrations:write" in said[0]["error"]


def test_an_upload_is_its_organs_business(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    stranger = calls(lone_spooled, "stranger", WRITER, organ="信衡市公安局")
    where = send(key, csv_bytes(rows([credit_code()]))).headers["Location"]
    for path in (where, f"{where}/rejected.csv"):
        assert (stranger.get(path).status_code, stranger.get(path).json["code"]) == (404, "upload_not_found")
    assert stranger.get("/api/v1/imports").json["items"] == []
    assert send(calls(lone_spooled, "reader", ["entities:read"]), b"x").status_code == 403


def test_uploads_are_listed_in_pages_newest_first(spooled, count_queries):
    key = calls(spooled, "feed", WRITER)
    made = [send(key, csv_bytes(rows([credit_code()]))).json["id"] for _ in range(5)]
    first = key.get("/api/v1/imports", limit=2).json
    second = key.get("/api/v1/imports", limit=2, after=first["next"]).json
    third = key.get("/api/v1/imports", limit=2, after=second["next"]).json
    assert [one["id"] for page in (first, second, third) for one in page["items"]] == made[::-1]
    assert third["next"] is None
    sent = []
    for limit in (1, 5):
        with count_queries() as asked:
            key.get("/api/v1/imports", limit=limit)
        sent.append(len(asked))
    assert sent[0] == sent[1]


def test_what_a_sender_calls_his_file_is_never_a_path_and_shows_no_number(lone_spooled):
    key = calls(lone_spooled, "feed", WRITER)
    sent = send(key, csv_bytes(rows([credit_code()])), name="../../11010519491231002X 处罚.csv")
    assert sent.status_code == 202
    assert "/" not in sent.json["name"]
    assert "11010519491231002X" not in sent.json["name"]
    assert all(len(name) == 32 for name in spool_of(lone_spooled))


# --- other organs' records ---------------------------------------------------------------------------------------

LISTED = ["企业名称", "统一社会信用代码", "DEDOCNUM", "SERILLREA_CN", "ABNTIME", "DECORG_CN"]
FAR = "信衡省市场监督管理局"


def listing(code, *, organ=FAR, number="信市监严〔2026〕1号"):
    row = ["信衡示例有限公司", code, number, "违反失信名单管理办法》第七条", "2026-10-10", organ]
    return csv_bytes([row], LISTED)


def facts_of(kind):
    return Fact.select().where((Fact.kind == kind) & Fact.gone.is_null()).count()


def checked(app):
    """What the check finds wrong with the ledger and all that is made from it."""
    if SealLog.select().count() == 0:
        seal.make_log(settings_of(app), now=NOW)
    sealed(settings_of(app))
    return said(settings_of(app))


def reviewed(who, seq, kind="serious_listing"):
    return who.post(f"/api/v1/records/{kind}/{seq}/review", {"outcome": "passed"})


def test_a_key_sends_the_records_of_its_own_organ_only(spooled):
    key, code = calls(spooled, "feed", WRITER), credit_code()
    registered(code)
    tried = send(key, listing(code), kind="serious_listing", dry_run="true").headers["Location"]
    sent = send(key, listing(code), kind="serious_listing").headers["Location"]
    work(spooled)
    assert key.get(tried).json["counts"]["rejected"] == 1
    done = key.get(sent).json
    assert (done["state"], done["counts"]["rejected"], done["counts"]["stored"]) == ("done", 1, 0)
    said = key.get(done["rejected_file"]).text
    assert all(part in said for part in ("DECORG_CN", FAR, f"records of {ORGAN} only", "imports:others"))
    assert (facts_of(4), Uncounted.select().count()) == (0, 0)


def test_rows_without_an_organ_or_with_the_keys_own_name_in_other_brackets_are_its_own(lone_spooled):
    organ = "信衡市（开发区）市场监督管理局"
    key, code = calls(lone_spooled, "feed", WRITER, organ=organ), credit_code()
    body = [
        [*row[:-1], name]
        for row, name in zip(rows([code] * 2), (organ.replace("（", "(").replace("）", ")"), ""), strict=True)
    ]
    where = send(key, csv_bytes(body)).headers["Location"]
    work(lone_spooled)
    counts = key.get(where).json["counts"]
    assert (counts["stored"], counts["rejected"]) == (2, 0)


def test_what_a_key_may_send_for_others_waits_for_a_review_where_it_is_grave(spooled):
    code = credit_code()
    registered(code)
    key = calls(spooled, "platform", [*WRITER, "imports:others", "records:review"], organ="信衡市信息中心")
    where = send(key, listing(code), kind="serious_listing").headers["Location"]
    penalty = send(key, csv_bytes(rows([code]))).headers["Location"]
    work(spooled)
    assert [key.get(one).json["counts"]["stored"] for one in (where, penalty)] == [1, 1]
    held = Record.get((Record.kind == "serious_listing") & (Record.act != "step"))
    assert (Uncounted.get().why, facts_of(4), facts_of(2)) == ("review", 0, 1)
    assert checked(spooled) == []
    # The deciding organ's reviewer lets it count.
    officer = calls(spooled, "officer", ["records:review"], organ=FAR)
    assert reviewed(officer, held.seq).status_code in (200, 201)
    assert (Uncounted.select().count(), facts_of(4)) == (0, 1)
    assert checked(spooled) == []
    send(key, listing(code), kind="serious_listing", ignore_unknown="true")
    work(spooled)
    assert (Uncounted.select().count(), facts_of(4)) == (0, 1)


ABNORMAL = ["企业名称", "统一社会信用代码", "PENDECNO", "SPECAUSE", "ABNTIME", "DECORG_CN"]


@pytest.mark.parametrize("named", [ORGAN, ""])
@pytest.mark.parametrize("kind", ["serious_listing", "abnormal_listing"])
def test_listings_of_an_organ_that_keeps_its_cases_here_come_by_no_file_either(lone_spooled, kind, named):
    code = credit_code()
    registered(code)
    key = calls(lone_spooled, "feed", WRITER)
    body = listing(code, organ=named)
    if kind == "abnormal_listing":
        body = csv_bytes([["信衡示例有限公司", code, "信市监异〔2026〕1号", "1", "2026-10-10", named]], ABNORMAL)
    tried = send(key, body, kind=kind, dry_run="true").headers["Location"]
    sent = send(key, body, kind=kind).headers["Location"]
    work(lone_spooled)
    assert key.get(tried).json["counts"]["rejected"] == 1
    done = key.get(sent).json
    assert (done["state"], done["counts"]["rejected"], done["counts"]["stored"]) == ("done", 1, 0)
    said = key.get(done["rejected_file"]).text
    for words in (
        f"{ORGAN} decides on its",
        "POST /api/v1/listings/abnormal",
        "two persons, and a document",
        "`xinheng import`",
    ):
        assert words in said, said
    assert (facts_of(3), facts_of(4), Uncounted.select().count()) == (0, 0, 0)


def test_nobody_else_sends_the_listings_of_an_organ_that_keeps_its_cases_here(lone_spooled):
    code = credit_code()
    registered(code)
    key = calls(lone_spooled, "platform", [*WRITER, "imports:others"], organ="信衡市信息中心")
    sent = send(key, listing(code, organ=ORGAN), kind="serious_listing").headers["Location"]
    penalties = send(key, csv_bytes(rows([code]))).headers["Location"]
    work(lone_spooled)
    assert [key.get(one).json["counts"]["rejected"] for one in (sent, penalties)] == [1, 0]


def test_the_same_words_from_the_deciding_organ_itself_need_no_review(spooled):
    code = credit_code()
    registered(code)
    platform = calls(spooled, "platform", [*WRITER, "imports:others"], organ="信衡市信息中心")
    send(platform, listing(code), kind="serious_listing")
    work(spooled)
    assert (Uncounted.get().why, facts_of(4)) == ("review", 0)
    send(calls(spooled, "organ", WRITER, organ=FAR), listing(code), kind="serious_listing")
    work(spooled)
    assert (Uncounted.select().count(), facts_of(4)) == (0, 1)
    assert Record.get((Record.kind == "serious_listing") & Record.replaced_seq.is_null()).source == FAR
    assert checked(spooled) == []
    # Nor do the platform's words bring it down again.
    send(platform, listing(code), kind="serious_listing", ignore_unknown="true")
    work(spooled)
    assert (Uncounted.select().count(), facts_of(4)) == (0, 1)


def test_a_grave_row_of_another_organ_waits_for_its_review_also_when_a_person_found_its_party(spooled):
    code = credit_code()
    entity = registered(code)
    platform = calls(spooled, "platform", [*WRITER, "imports:others"], organ="信衡市信息中心")
    send(platform, listing(""), kind="serious_listing")
    work(spooled)
    who = Who("officer", TODAY, NOW, ["general-risk"])
    deciding.decide([Unmatched.get().id], "match", to=code, reason="核实", who=who)
    held = Record.get((Record.kind == "serious_listing") & (Record.act != "step"))
    assert (held.entity_id, held.matched, Uncounted.get().why, facts_of(4)) == (entity, "person", "review", 0)
    assert checked(spooled) == []


def test_who_sent_a_file_may_not_review_what_it_says(spooled):
    code = credit_code()
    registered(code)
    sender = calls(spooled, "sender", [*WRITER, "records:review"])
    other = calls(spooled, "other", [*WRITER, "records:review"])
    send(sender, csv_bytes(rows([code])))
    work(spooled)
    assert ImportRun.get().sender == "key:sender"
    seq = Record.get((Record.kind == "penalty") & (Record.act != "step")).seq
    refused = reviewed(sender, seq, "penalty")
    assert (refused.status_code, refused.json["code"]) == (403, "same_hands")
    assert reviewed(other, seq, "penalty").status_code in (200, 201)


def test_a_form_names_the_area_in_which_rows_without_a_number_find_their_party_by_name(spooled):
    code = credit_code(division="990203")
    entity = registered(code, name="信衡区域示例有限公司")
    key = calls(spooled, "feed", WRITER, divisions=["9901", "9902"])
    content = csv_bytes([["信衡区域示例有限公司", "", *rows([code])[0][2:]]])
    assert send(key, content, division="99020000").status_code == 422
    refused = send(key, content, division="9803")
    assert refused.status_code == 422
    assert "9803 is not within them" in str(refused.json["problems"]["division"])
    for area, found in (("9901", None), ("990200", entity)):
        assert send(key, content, name=f"{area}.csv", division=area).status_code == 202
        work(spooled)
        stated = Record.get_or_none(Record.kind == "penalty")
        assert (stated and stated.entity_id) == found
