"""What anyone may see: published today on our own site, whatever day is asked for, and nothing of a grade or a person."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.database import execute
from registry.models import Record
from registry.services import entities, keys, ledger
from registry.services.entities import Party
from tests.api.conftest import Caller, application, calls
from tests.api.test_document import Page
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry.deeds import repaired, shown, stopped, withdrawn

DAY = 86_400_000
WORD = "虚假宣传"


@pytest.fixture
def anyone(app):
    return Caller(app, None)


@pytest.fixture
def code(settings):
    code = credit_code()
    registered(code, industry=6513)
    return code


def entity_of(code):
    return entities.get(code).id


def published(code, kind="penalty", **given):
    given = {"decided_on": date(2026, 11, 2), **given} if kind == "penalty" else given
    seq = record(entity_of(code), kind, **given).seq
    shown(seq)
    return seq


def records(anyone, code, **query):
    return anyone.get(f"/api/v1/public/entities/{code}/records", **query).json["items"]


def test_anyone_reads_the_registration_and_what_is_published_today(anyone, code):
    published(code, document_no="信市监处罚〔2026〕5号", violation=WORD)
    record(entity_of(code), document_no="信市监处罚〔2026〕6号")  # never published
    found = anyone.get(f"/api/v1/public/entities/{code}").json
    assert (found["code"], found["status"], found["counts"]) == (code, "open", [{"kind": "penalty", "records": 1}])
    (one,) = records(anyone, code)
    assert one["document_no"] == "信市监处罚〔2026〕5号"
    assert (one["published_on"], one["published_until"]) == ("2026-11-21", "2027-02-21")
    assert one["detail"]["violation"] == WORD


def test_no_answer_names_a_class_a_score_a_ledger_number_or_a_remark(anyone, code, officer):
    published(code, remark="内部备注")
    for path in (f"/api/v1/public/entities/{code}", f"/api/v1/public/entities/{code}/records", f"/public/{code}"):
        text = anyone.get(path).text
        assert not re.search(r'"(class|score|grade|seq|source|digest|rank)"', text)
        assert "内部备注" not in text
    before = anyone.get(f"/api/v1/public/entities/{code}").data
    execute("UPDATE grade_state SET class = 'D', score = 999, rank = 3")
    assert anyone.get(f"/api/v1/public/entities/{code}").data == before


@pytest.mark.parametrize("end", [stopped, withdrawn, repaired])
def test_what_was_stopped_withdrawn_or_repaired_is_gone_for_every_day(anyone, code, end):
    seq = record(
        entity_of(code), decided_on=date(2026, 3, 2), document_no="信市监处罚〔2026〕7号", now=NOW - 250 * DAY
    ).seq
    shown(seq, today=date(2026, 3, 16), now=NOW - 250 * DAY)
    if end is not repaired:  # a minor penalty of March is over by now: only a repair can still follow
        seq = published(code, document_no="信市监处罚〔2026〕7号之二")
        assert len(records(anyone, code)) == 1
    end(seq)
    for on in (None, "2026-03-20", "2026-11-20", "2026-11-21"):
        assert records(anyone, code, **({"on": on} if on else {})) == []
        assert "7号" not in anyone.get(f"/public/{code}").text


def test_a_record_disappears_on_the_day_its_publication_ends_without_any_job(on_sqlite):
    code = credit_code()
    registered(code)
    published(code)
    for today, number in ((date(2027, 2, 20), 1), (date(2027, 2, 21), 0)):
        from api.app import create_app

        app = create_app(on_sqlite, today=lambda today=today: today, now=lambda: NOW)
        assert len(records(Caller(app, None), code)) == number


def test_a_past_day_keeps_what_was_known_then_and_never_shows_old_words(anyone, code):
    seq = published(code, document_no="信市监处罚〔2026〕8号", violation="旧的说法")
    with ledger.writing(now=NOW + 3 * DAY, schemes=[]) as pen:
        again = statement(
            "penalty", document_no="信市监处罚〔2026〕8号", violation="更正后的说法", decided_on=date(2026, 11, 2)
        )
        new = pen.correct(seq, again, source="test").seq
    assert records(anyone, code) == [], "a correction is not shown before it passed its review"
    shown(new)
    (now,), (then,) = records(anyone, code), records(anyone, code, on="2026-11-22")
    assert (now["corrected_since"], then["corrected_since"]) == (False, True)
    assert now["detail"]["violation"] == then["detail"]["violation"] == "更正后的说法"
    assert records(anyone, code, on="2026-11-20") == []


def test_it_reads_what_is_published_and_nothing_else(anyone, code, count_queries):
    published(code)
    path = f"/api/v1/public/entities/{code}/records"
    with count_queries() as few:
        assert len(anyone.get(path, on="2026-11-21").json["items"]) == 1
    for _ in range(5):
        record(entity_of(code))
    with count_queries() as many:
        assert len(anyone.get(path, on="2026-11-21").json["items"]) == 1
    assert len(many) == len(few)
    assert not [sql for sql in many if "FROM record " in sql and "WHERE identity IN (" not in sql]


def test_pages_by_kind_neither_skip_nor_repeat(anyone, code):
    for number in range(5):
        published(code, document_no=f"信市监处罚〔2026〕{number + 20}号", decided_on=date(2026, 11, 1 + number))
    published(code, "abnormal_listing")
    got, token = [], None
    while token is not None or not got:
        page = anyone.get(
            f"/api/v1/public/entities/{code}/records", kind="penalty", limit=2, **({"after": token} if token else {})
        ).json
        got, token = got + page["items"], page["next"]
    assert [one["happened_on"] for one in got] == [f"2026-11-0{day}" for day in (5, 4, 3, 2, 1)]


def test_the_page_is_for_phones_without_script_and_shows_a_listing_in_red(anyone, code):
    published(code, "serious_listing", listed_on=date(2026, 1, 15))
    reply = anyone.get(f"/public/{code}")
    page = Page(reply.text)
    assert (page.lang, "script" in page.tags, "style" in page.tags, page.inline) == ("zh-CN", False, False, [])
    assert page.loads == ["/static/public.css"]
    assert "width=device-width" in page.meta["viewport"]
    assert 'class="listed"' in reply.text
    assert "严重违法失信名单" in reply.text
    assert "Objection and repair" in reply.text
    assert "style-src 'self'" in reply.headers["Content-Security-Policy"]
    css = anyone.get("/static/public.css").text
    assert "url(" not in css
    assert "@import" not in css


def test_a_code_that_nobody_has_gets_a_page_that_says_so(anyone, code):
    reply = anyone.get(f"/public/{credit_code()}")
    assert (reply.status_code, "查无此主体" in reply.text) == (404, True)
    assert anyone.get(f"/api/v1/public/entities/{credit_code()}").json["code"] == "entity_not_found"
    assert "<b>x" not in anyone.get("/public/<b>x").text


def test_an_entity_that_only_an_unpublished_record_names_is_absent(app, anyone, officer):
    code = credit_code()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (entity,) = entities.provisional(pen, [Party(code=code, name="信衡示例茶叶店")]).values()
    seq = record(entity, decided_on=date(2026, 11, 2)).seq
    assert anyone.get(f"/api/v1/public/entities/{code}").status_code == 404
    shown(seq)
    assert anyone.get(f"/api/v1/public/entities/{code}").json["provisional"] is True


def test_an_address_without_a_key_is_limited_and_a_key_is_not(on_sqlite):
    import dataclasses

    few = dataclasses.replace(
        on_sqlite, api=dataclasses.replace(on_sqlite.api, public_per_minute=3, trusted_proxies="127.0.0.1")
    )
    app = application(few)
    code = credit_code()
    registered(code)
    path, client = f"/api/v1/public/entities/{code}", app.test_client()
    said = [client.get(path).status_code for _ in range(4)]
    assert said == [200, 200, 200, 429]
    refused = client.get(path)
    assert refused.json["code"] == "rate_limited"
    assert int(refused.headers["Retry-After"]) > 0
    # Our own proxy is believed about whom it speaks for; what that one says of others is not.
    other = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}
    assert [client.get(path, headers=other).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(path, headers={"X-Forwarded-For": "203.0.113.8, 198.51.100.9"}).status_code == 429
    assert client.get("/livez").status_code == 200
    officer = calls(app, "reader", ["entities:read"])
    assert [officer.get(path).status_code for _ in range(5)] == [200] * 5
    assert Caller(app, "xh_wrong").get(path).status_code == 401


def test_a_v6_caller_is_his_whole_network(on_sqlite):
    from api.auth import address

    app = application(on_sqlite)
    for asking, expected in (("2001:db8:1:2::7", "2001:db8:1:2::/64"), ("192.0.2.1", "192.0.2.1"), ("odd", "odd")):
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": asking}):
            assert address([""]) == expected


# --- random lives ---------------------------------------------------------------------------------------------------

_deed = st.sampled_from(["record", "listing", "show", "show", "stop", "withdraw", "repair", "correct"])
_deeds = st.lists(st.tuples(_deed, st.integers(0, 9), st.integers(0, 40)), min_size=4, max_size=9)


def _do(deed, number, days, entity, made, at):
    """One deed at a moment of its own; what the rules refuse is not done."""
    from registry.errors import RegistryError

    today = TODAY - timedelta(days=60 - at)
    now = NOW - (60 - at) * DAY
    try:
        if deed in ("record", "listing") or not made:
            mark = f"标记{len(made)}次"
            common = {"now": now, "remark": mark}
            seq = (
                record(entity, decided_on=today - timedelta(days=days), violation=mark, fine_fen=(5_000_00, 500_000_00)[number % 2], **common)
                if deed != "listing"
                else record(entity, "abnormal_listing", listed_on=today - timedelta(days=days), document_no=mark, **common)
            ).seq  # fmt: skip
            made.append((Record.get(Record.seq == seq).identity, mark))
            return
        identity, _ = made[number % len(made)]
        row = Record.get((Record.identity == identity) & Record.replaced_seq.is_null())
        if deed == "show":
            shown(row.seq, today=today, now=now)
        elif deed == "stop":
            stopped(row.seq, today=today, now=now)
        elif deed == "withdraw":
            withdrawn(row.seq, now=now)
        elif deed == "repair":
            repaired(row.seq, today=today, now=now)
        elif deed == "correct" and row.kind == "penalty":
            mark = f"标记{len(made)}次改"
            said = statement("penalty", document_no=row.document_no, decided_on=row.happened_on, violation=mark)
            with ledger.writing(now=now, schemes=[]) as pen:
                pen.correct(row.seq, said, source="test")
            made.append((identity, mark))
    except RegistryError:
        return


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds=_deeds)
def test_whatever_happened_no_endpoint_shows_anyone_or_the_party_what_is_not_visible_today(on_sqlite, deeds):
    """Every public and own endpoint × past day × past number."""
    from registry.services import publication, timeline

    app = application(on_sqlite)
    code = credit_code()
    entity = registered(code, now=NOW - 90 * DAY)
    name = f"own{code[8:]}"
    own = Caller(
        app, keys.create(name, organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    )
    anyone = Caller(app, calls(app, name + "x", ["entities:read"]).headers["Authorization"].split()[1])
    made: list[tuple[str, str]] = []
    for at, (deed, number, days) in enumerate(deeds):
        _do(deed, number, days, entity, made, at * 6)
    rows = list(Record.select().where(Record.entity == entity))
    visible = publication.visible(entity, channel="site", today=TODAY)
    current = {row.identity: row for row in rows if row.replaced_seq is None}
    sealed = timeline.sealed_today(timeline.rows_of([entity], "Asia/Shanghai"), timeline.left_out([entity]))
    now_said = {row.detail.get("violation") or row.document_no for row in current.values()}
    public_may = {mark for identity, mark in made if identity in visible and mark in now_said}
    own_may = {mark for identity, mark in made if identity not in sealed}
    marks = {mark for _, mark in made}

    def told(text):
        # The longer mark of a correction holds the shorter one of nobody: each ends in its own character.
        return {mark for mark in marks if re.search(f"{mark}(?!改)", text)}

    days = [None, *(TODAY - timedelta(days=back) for back in (0, 20, 45, 70))]
    for on in days:
        asked = {"on": on.isoformat()} if on else {}
        text = anyone.get(f"/api/v1/public/entities/{code}/records", limit=200, **asked).text
        assert told(text) <= public_may
        for known in (None, *range(0, ledger.head() + 1, max(1, ledger.head() // 6))):
            also = asked | ({"known_at": str(known)} if known is not None else {})
            reply = own.get("/api/v1/own", limit=200, **also)
            assert reply.status_code == 200
            assert told(reply.text) <= own_may
    page = anyone.get(f"/public/{code}").text
    assert told(page) == public_may == told(anyone.get(f"/api/v1/public/entities/{code}/records", limit=200).text)
    assert told(own.get("/api/v1/own/report.html").text) <= own_may
    # Nor is anything held back that may be seen: else all of this would be true of an empty answer.
    assert {mark for mark in own_may if mark in now_said} <= told(own.get("/api/v1/own", limit=200).text)
