"""The withdrawal feed: each recipient hears of what concerns it, once, in time, and says that it has acted."""

from datetime import date, timedelta

import pytest

from jobs import runner
from jobs.tasks import named
from registry.errors import NotAllowed
from registry.models import JobRun, Notice, Publication
from registry.services import keys, ledger, listings, notices, publication
from registry.services.notices import NotARecipient, NoticeNotFound
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry import lives

pytestmark = pytest.mark.usefixtures("settings")
LARGER = {"kinds": ["fine"], "fine_fen": 200_000_00, "content": ""}


@pytest.fixture
def province():
    return recipient("province")


def recipient(name, kinds=(), divisions=None):
    secret = keys.create(name, organ="示例省局", scopes=["exchange:read"], divisions=divisions or [], actor="test", now=NOW)  # fmt: skip
    notices.add_recipient(f"接收方{name}", key=name, kinds=kinds, actor="test", now=NOW)
    return keys.caller(secret)


def stopped(seq):
    publication.stop(seq, "penalty", reason="有误", organ=None, actor=lives.REVIEWER, today=TODAY, now=NOW)


def fetched(who, *, after=None, limit=50, now=NOW, **given):
    return notices.fetch(who, after=after, limit=limit, now=now, **given)


def night(settings, on=TODAY):
    ran = runner.by_hand(
        named("end_publications"), settings, actor="test", on=on, now=lambda: NOW + JobRun.select().count()
    )
    assert ran.state == "done", ran.error
    return {name: ran.result[name] for name in ("stopped", "notices")}


def test_a_recipient_hears_of_each_change_once_per_ask_and_page_after_page(province):
    seqs = [lives.shown_penalty(**LARGER) for _ in range(3)]
    for seq in seqs:
        stopped(seq)
    first = fetched(province, limit=2)
    second = fetched(province, limit=2, after=first.next)
    assert [row["what"] for row in (*first.items, *second.items)] == ["stopped"] * 3
    assert ([row["fetched_at"] for row in first.items], second.next) == ([None, None], None)
    again = fetched(province, now=NOW + 9)
    assert [row["fetched_at"] for row in again.items] == [NOW] * 3, "the first moment stays"


def test_a_recipient_hears_only_of_its_kinds_its_divisions_and_what_came_after_it(province):
    stopped(lives.shown_penalty(**LARGER))
    checks, near, late = recipient("checks", ["spot_check"]), recipient("near", divisions=["9902"]), recipient("late")
    stopped(lives.shown_penalty(entity=registered(credit_code(division="990203")), **LARGER))
    stopped(lives.shown_penalty(entity=registered(credit_code(division="990101")), **LARGER))
    assert [len(fetched(who).items) for who in (province, checks, near, late)] == [3, 0, 1, 2]


def test_what_is_not_acknowledged_in_three_working_days_is_overdue(province):
    stopped(lives.shown_penalty(**LARGER))
    stopped(lives.shown_penalty(**LARGER))
    (one, other) = fetched(province).items
    notices.acknowledge(one["id"], province, now=NOW + 1)
    due = date(2026, 11, 25)
    assert notices.overdue(today=due) == []
    (late,) = notices.overdue(today=due + timedelta(days=1))
    assert (late.recipient, late.notice, late.due_on, late.fetched_at) == ("接收方province", other["id"], due, NOW)
    assert [row["id"] for row in fetched(province, overdue_on=due + timedelta(days=1)).items] == [other["id"]]
    notices.end_recipient("接收方province", actor="test", now=NOW)
    assert notices.overdue(today=due + timedelta(days=1)) == []


def test_acknowledging_again_changes_nothing_and_only_what_was_meant_for_one_can_be(province):
    stopped(lives.shown_penalty(**LARGER))
    number = Notice.get().id
    first = notices.acknowledge(number, province, now=NOW + 1)
    assert notices.acknowledge(number, province, now=NOW + 2) == first
    assert (first["fetched_at"], first["acknowledged_at"]) == (NOW + 1, NOW + 1)
    with pytest.raises(NoticeNotFound, match="was sent to 接收方other"):
        notices.acknowledge(number, recipient("other"), now=NOW)


def test_a_key_that_is_no_recipient_is_told_how_to_become_one():
    secret = keys.create("stranger", organ="x", scopes=["exchange:read"], divisions=[], actor="test", now=NOW)
    with pytest.raises(NotARecipient, match="xinheng recipient add NAME --key stranger"):
        fetched(keys.caller(secret))


def test_a_recipient_needs_a_key_that_can_fetch_and_a_name_of_its_own(province):
    keys.create("reader", organ="x", scopes=["entities:read"], divisions=[], actor="test", now=NOW)
    for given, why in (
        ({"name": "a", "key": "none"}, "There is no key 'none'"),
        ({"name": "a", "key": "reader"}, "lacks the scope exchange:read"),
        ({"name": "b", "key": "province"}, "already"),
        ({"name": "a", "key": "province", "kinds": ["fine"]}, "There is no kind 'fine'"),
    ):
        with pytest.raises(NotAllowed, match=why):
            notices.add_recipient(**{"kinds": [], **given}, actor="test", now=NOW)
    same = notices.add_recipient("接收方province", key="province", kinds=[], actor="test", now=NOW)
    assert same.key == "province"


def test_the_night_stops_what_is_over_and_tells_of_it(settings, province):
    minor = lives.shown_penalty(on=date(2026, 8, 21), fine_fen=5_000_00)
    general = lives.shown_penalty(on=date(2026, 8, 21), **LARGER)
    assert (lives.row(minor).latest, lives.seen(minor), lives.row(minor).state) == (TODAY, False, "published")
    assert night(settings) == {"stopped": 2, "notices": 0}  # on NECIPS and our site; Credit China never had it
    assert (lives.row(minor).state, lives.row(minor).stopped_because) == ("stopped", "latest")
    assert lives.seen(general)
    assert [row["what"] for row in fetched(province).items] == ["stopped"]
    assert night(settings) == {"stopped": 0, "notices": 0}


def shown_listing():
    seq = record(registered(), "serious_listing", listed_on=date(2023, 11, 21)).seq
    lives.passed(seq, on=date(2023, 11, 22))
    lives.published(seq, on=date(2023, 11, 22))
    assert lives.seen(seq, on=date(2026, 11, 20))
    return seq


def test_the_night_stops_a_listing_that_its_source_says_has_ended(settings):
    seq = shown_listing()
    ended = statement("serious_listing", listed_on=date(2023, 11, 21), removed_on=TODAY)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.correct(seq, ended, source="test")
    assert not lives.seen(seq)
    assert night(settings)["stopped"] == 3
    assert {row.stopped_because for row in Publication.select()} == {"removed"}


def test_a_listing_whose_term_is_over_is_taken_down_everywhere_as_it_ends_and_recipients_hear_of_it(settings, province):
    seq = shown_listing()
    for _ in range(2):
        listings.end(seq, on=TODAY, actor="job:end_listings", schemes=[], now=NOW)
    assert {(row.state, row.stopped_because, row.stopped_on) for row in Publication.select()} == {("stopped", "removed", TODAY)}  # fmt: skip
    assert [row["what"] for row in fetched(province).items] == ["stopped"]
    assert night(settings) == {"stopped": 0, "notices": 0}


def test_the_night_finds_what_was_withdrawn_or_corrected_by_other_ways(settings, province):
    entity = registered()
    seq, other = (
        lives.shown_penalty(entity=entity, **LARGER),
        lives.shown_penalty(entity=entity, document_no="信8号", **LARGER),
    )
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(seq, source="test", reason="并案")
        pen.correct(other, statement("penalty", document_no="信8号", fine_fen=300_000_00, content=""), source="test")
    assert (lives.seen(seq), lives.seen(other), Notice.select().count()) == (False, False, 0)
    assert night(settings) == {"stopped": 3, "notices": 2}
    assert [row["what"] for row in fetched(province).items] == ["withdrawn", "corrected"]
    assert night(settings) == {"stopped": 0, "notices": 0}
