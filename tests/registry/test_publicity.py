"""DOMAIN of publicity durations as a table: per channel, the last day of each old rule and the first day of the new one."""

from datetime import date

import pytest

from registry import publicity
from registry.services import ledger, publication
from tests.conftest import NOW
from tests.factories import record, registered, statement
from tests.registry import lives

MARKET, OTHER = "信衡市市场监督管理局", "信衡市生态环境局"
WARNING = {"kinds": ["warning"], "fine_fen": 0}
CRITICISM = {"kinds": ["criticism"], "fine_fen": 0}
LOWER = {"kinds": ["fine"], "fine_fen": 99_999_99}
LARGER = {"kinds": ["fine"], "fine_fen": 100_000_00}
CONFISCATED = {"kinds": ["confiscated_gains"], "fine_fen": 0}
REVOKED = {"kinds": ["revoked_licence"], "fine_fen": 0}
RESTRICTED = {"kinds": ["restricted_business"], "fine_fen": 0}
HUGE = {"kinds": ["fine"], "fine_fen": 1_000_000_00}
FOOD = {"kinds": ["fine"], "fine_fen": 200_000_00, "violation": "生产经营不符合标准的食品"}

# (channel, organ, day of decision and publication, penalty) → (regime, class, earliest, latest); no days: not shown.
TABLE = [
    # NECIPS: the last day of the 2021 rules, and the first of Order 107.
    ("necips", MARKET, date(2025, 12, 24), WARNING, ("samr-2021", "none", None, None)),
    ("necips", MARKET, date(2025, 12, 25), WARNING, ("samr-107", "none", None, None)),
    ("necips", MARKET, date(2025, 12, 24), CRITICISM, ("samr-2021", "minor", date(2025, 12, 24), date(2026, 3, 24))),
    ("necips", MARKET, date(2025, 12, 25), CRITICISM, ("samr-107", "minor", date(2025, 12, 25), date(2026, 3, 25))),
    ("necips", MARKET, date(2025, 12, 24), LOWER, ("samr-2021", "minor", date(2025, 12, 24), date(2026, 3, 24))),
    ("necips", MARKET, date(2025, 12, 25), LOWER, ("samr-107", "minor", date(2025, 12, 25), date(2026, 3, 25))),
    ("necips", MARKET, date(2025, 12, 24), LARGER, ("samr-2021", "general", date(2026, 6, 24), date(2028, 12, 24))),
    ("necips", MARKET, date(2025, 12, 25), LARGER, ("samr-107", "general", date(2026, 3, 25), date(2026, 12, 25))),
    ("necips", MARKET, date(2025, 12, 24), CONFISCATED, ("samr-2021", "general", date(2026, 6, 24), date(2028, 12, 24))),
    ("necips", MARKET, date(2025, 12, 25), CONFISCATED, ("samr-107", "general", date(2026, 3, 25), date(2026, 12, 25))),
    ("necips", MARKET, date(2025, 12, 24), FOOD, ("samr-2021", "general", date(2026, 12, 24), date(2028, 12, 24))),
    ("necips", MARKET, date(2025, 12, 25), FOOD, ("samr-107", "general", date(2026, 3, 25), date(2026, 12, 25))),
    ("necips", MARKET, date(2025, 12, 24), REVOKED, ("samr-2021", "serious", date(2026, 6, 24), date(2028, 12, 24))),
    ("necips", MARKET, date(2025, 12, 25), REVOKED, ("samr-107", "serious", date(2026, 12, 25), date(2028, 12, 25))),
    ("necips", MARKET, date(2025, 12, 25), RESTRICTED, ("samr-107", "serious", date(2026, 12, 25), date(2028, 12, 25))),
    ("necips", MARKET, date(2025, 12, 25), HUGE, ("samr-107", "serious", date(2026, 12, 25), date(2028, 12, 25))),
    # NECIPS does not change on the day on which Credit China does.
    ("necips", MARKET, date(2026, 3, 31), LARGER, ("samr-107", "general", date(2026, 6, 30), date(2027, 3, 31))),
    ("necips", MARKET, date(2026, 4, 1), LARGER, ("samr-107", "general", date(2026, 7, 1), date(2027, 4, 1))),
    # Our own site follows NECIPS.
    ("site", MARKET, date(2025, 12, 24), LARGER, ("samr-2021", "general", date(2026, 6, 24), date(2028, 12, 24))),
    ("site", MARKET, date(2025, 12, 25), LARGER, ("samr-107", "general", date(2026, 3, 25), date(2026, 12, 25))),
    ("site", MARKET, date(2025, 12, 25), LOWER, ("samr-107", "minor", date(2025, 12, 25), date(2026, 3, 25))),
    ("site", MARKET, date(2025, 12, 25), REVOKED, ("samr-107", "serious", date(2026, 12, 25), date(2028, 12, 25))),
    # Credit China: Order 107 changes nothing there; the measure of NDRC does.
    ("credit_china", MARKET, date(2025, 12, 24), LARGER, ("ndrc-58", "general", date(2026, 3, 24), date(2028, 12, 24))),
    ("credit_china", MARKET, date(2025, 12, 25), LARGER, ("ndrc-58", "general", date(2026, 3, 25), date(2028, 12, 25))),
    ("credit_china", MARKET, date(2026, 3, 31), WARNING, ("ndrc-58", "none", None, None)),
    ("credit_china", MARKET, date(2026, 4, 1), WARNING, ("ndrc-2026", "none", None, None)),
    ("credit_china", MARKET, date(2026, 3, 31), LOWER, ("ndrc-58", "minor", date(2026, 3, 31), date(2026, 6, 30))),
    ("credit_china", MARKET, date(2026, 4, 1), LOWER, ("ndrc-2026", "minor", None, None)),
    ("credit_china", MARKET, date(2026, 3, 31), LARGER, ("ndrc-58", "general", date(2026, 6, 30), date(2029, 3, 31))),
    ("credit_china", MARKET, date(2026, 4, 1), LARGER, ("ndrc-2026", "general", date(2026, 7, 1), date(2027, 4, 1))),
    ("credit_china", MARKET, date(2026, 3, 31), REVOKED, ("ndrc-58", "serious", date(2027, 3, 31), date(2029, 3, 31))),
    ("credit_china", MARKET, date(2026, 4, 1), REVOKED, ("ndrc-2026", "serious", date(2027, 4, 1), date(2029, 4, 1))),
    ("credit_china", MARKET, date(2026, 4, 1), HUGE, ("ndrc-2026", "serious", date(2027, 4, 1), date(2029, 4, 1))),
    # Other organs: Order 107 is not theirs.
    ("necips", OTHER, date(2025, 12, 25), LARGER, ("other-2021", "general", date(2026, 6, 25), date(2028, 12, 25))),
    ("necips", OTHER, date(2026, 3, 31), LARGER, ("other-2021", "general", date(2026, 9, 30), date(2029, 3, 31))),
    ("necips", OTHER, date(2026, 4, 1), LARGER, ("other-2026", "general", date(2026, 7, 1), date(2027, 4, 1))),
    ("credit_china", OTHER, date(2026, 4, 1), LARGER, ("ndrc-2026", "general", date(2026, 7, 1), date(2027, 4, 1))),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "organ", "day", "penalty", "expected"), TABLE)
def test_a_penalty_is_shown_as_long_as_the_rule_of_its_channel_organ_and_day_says(
    on_sqlite, channel, organ, day, penalty, expected
):
    seq = lives.shown_penalty(on=day, channels=(channel,), organ=organ, content="", **penalty)
    row = lives.row(seq, channel)
    assert (row.regime, row.class_, row.earliest, row.latest) == expected
    assert row.state == ("published" if expected[3] else "never")
    if expected[3] is None:
        assert not lives.seen(seq, channel, on=day)
    else:
        last = expected[3].fromordinal(expected[3].toordinal() - 1)
        assert (lives.seen(seq, channel, on=day), lives.seen(seq, channel, on=last)) == (True, True)
        assert not lives.seen(seq, channel, on=expected[3])
        other = "site" if channel != "site" else "necips"
        assert not lives.seen(seq, other, on=day), "published on one channel is published there only"


@pytest.mark.parametrize("channel", ["necips", "site"])
def test_decided_under_the_old_rule_and_published_under_the_new_one_is_under_the_new_one(on_sqlite, channel):
    seq = record(registered(), decided_on=date(2025, 12, 20), **LARGER).seq
    lives.passed(seq, on=date(2025, 12, 25))
    lives.published(seq, on=date(2025, 12, 25))
    row = lives.row(seq, channel)
    assert (row.regime, row.counts_from, row.latest) == ("samr-107", date(2025, 12, 25), date(2026, 12, 25))


def test_ndrc_counts_from_the_document_and_the_others_from_publication(on_sqlite):
    seq = record(registered(), decided_on=date(2026, 5, 6), **LARGER).seq
    lives.passed(seq, on=date(2026, 5, 12))
    lives.published(seq, on=date(2026, 5, 12))
    days = {channel: lives.row(seq, channel).counts_from for channel in ("necips", "credit_china", "site")}
    assert days == {"necips": date(2026, 5, 12), "credit_china": date(2026, 5, 6), "site": date(2026, 5, 12)}


def test_late_publication_does_not_prolong_the_period(on_sqlite):
    seq = record(registered(), decided_on=date(2026, 3, 2), **LARGER).seq
    lives.passed(seq, on=date(2026, 9, 1))
    lives.published(seq, on=date(2026, 9, 1))
    row = lives.row(seq)
    # Twenty working days after 2 March 2026 is 30 March.
    assert (row.counts_from, row.latest) == (date(2026, 3, 30), date(2027, 3, 30))


@pytest.mark.parametrize(
    ("until", "latest"),
    [
        (date(2026, 8, 1), date(2026, 8, 1)),
        (date(2030, 1, 1), date(2027, 3, 2)),
        (date(2099, 12, 31), date(2027, 3, 2)),
    ],
)
def test_the_source_s_own_end_of_publication_is_kept_and_the_earlier_end_wins(on_sqlite, until, latest):
    seq = lives.shown_penalty(publish_until=until, **LARGER)
    row = lives.row(seq)
    assert (row.source_until, row.latest) == (until, latest)


@pytest.mark.parametrize(
    ("subject", "fine", "class_"),
    [
        ("enterprise", 99_999_99, "minor"), ("enterprise", 100_000_00, "general"), ("enterprise", 999_999_99, "general"),
        ("enterprise", 1_000_000_00, "serious"), ("individual", 9_999_99, "minor"), ("individual", 10_000_00, "general"),
        ("cooperative", 99_999_99, "minor"),
    ],
)  # fmt: skip
def test_the_class_follows_the_fine_and_the_kind_of_subject(subject, fine, class_):
    found = publicity.class_of(
        {"kinds": ["fine"], "fine_fen": fine}, subject=subject, division="990101", decided_on=date(2026, 3, 2)
    )
    assert found is not None
    assert found.name == class_
    assert found.basis_kind in publicity.BASIS_KINDS


@pytest.mark.parametrize("unread", ["amount_unread", "kind_unread"])
def test_what_could_not_be_read_waits_for_an_officer_s_class(unread):
    detail = {"kinds": ["fine"], "fine_fen": 0, unread: True}
    assert publicity.class_of(detail, subject="enterprise", division="", decided_on=date(2026, 3, 2)) is None


def test_a_province_s_own_row_takes_the_place_of_the_one_for_everywhere(monkeypatch):
    table = publicity._table("classes")
    local = {
        **next(row for row in table["row"] if row["id"] == "lower-fine"), "id": "lower-fine-99", "province": "99", "fine_below_fen": 50_000_00,
    }  # fmt: skip
    monkeypatch.setattr(publicity, "_table", lambda name: {**table, "row": [*table["row"], local]})
    fine = {"kinds": ["fine"], "fine_fen": 60_000_00}
    there = publicity.class_of(fine, subject="enterprise", division="990101", decided_on=date(2026, 3, 2))
    elsewhere = publicity.class_of(fine, subject="enterprise", division="420101", decided_on=date(2026, 3, 2))
    assert (there and there.name, elsewhere and elsewhere.name) == ("general", "minor")


@pytest.mark.parametrize("channel", ["necips", "credit_china", "site"])
@pytest.mark.parametrize("sort", ["market_regulation", "other"])
def test_on_every_day_there_is_exactly_one_regime_per_channel_and_sort_of_organ(channel, sort):
    for day in (date(1999, 1, 1), date(2021, 8, 31), date(2025, 12, 24), date(2025, 12, 25), date(2026, 3, 31), date(2026, 4, 1), date(2050, 1, 1)):  # fmt: skip
        assert publicity.regime(channel, sort, day)["from"] <= day


@pytest.mark.parametrize("name", ["regimes", "classes", "kinds", "repairs"])
def test_every_row_of_the_tables_says_what_it_rests_on(name):
    table = publicity._table(name)
    rows = [row for row in publicity._rows(table) if row.get("channels") or row.get("class") or row.get("conditions")]
    assert rows or name == "kinds"
    for row in rows:
        if not row.get("by_class"):
            assert row["basis"], row
            assert row["basis_kind"] in publicity.BASIS_KINDS, row


def test_a_product_default_is_printed_as_one(on_sqlite):
    seq = lives.shown_penalty(**HUGE)
    assert "产品默认值，无法定依据" in lives.row(seq).basis


@pytest.mark.parametrize(
    ("old_rows", "regime", "latest", "seen"),
    [("keep", "samr-2021", date(2028, 6, 2), True), ("retime", "samr-107", date(2026, 6, 2), False)],
)
def test_what_becomes_of_a_row_from_before_order_107_is_a_setting(on_sqlite, old_rows, regime, latest, seen):
    seq = lives.shown_penalty(on=date(2025, 6, 2), **LARGER)
    assert (lives.row(seq).regime, lives.row(seq).latest) == ("samr-2021", date(2028, 6, 2))
    today, identity = date(2026, 6, 20), lives.target(seq).identity
    assert (identity in publication.due(today, old_rows=old_rows)) == (old_rows == "retime")
    publication.end(identity, today=today, actor="job:end_publications", now=NOW, old_rows=old_rows)
    row = lives.row(seq)
    assert (row.regime, row.latest) == (regime, latest)
    assert (row.state, row.stopped_because) == (("published", "") if seen else ("stopped", "latest"))
    assert lives.seen(seq, on=today) is seen
    # Counted from the document, one year on Credit China as well, where keeping leaves three.
    assert lives.row(seq, "credit_china").regime == ("ndrc-58" if old_rows == "keep" else "ndrc-2026")
    assert identity not in publication.due(today, old_rows=old_rows)


@pytest.mark.parametrize(("old_rows", "said"), [("keep", "published"), ("retime", "over")])
def test_the_setting_also_decides_over_old_rows_that_are_published_only_now(on_sqlite, old_rows, said):
    seq = record(registered(), decided_on=date(2025, 3, 3), **LARGER).seq
    lives.passed(seq)
    assert {one.said for one in lives.published(seq, old_rows=old_rows).values()} == {said}
    assert lives.seen(seq) is (said == "published")


def test_a_listing_is_shown_while_it_lasts_and_a_serious_one_three_years_at_most(on_sqlite):
    entity = registered()
    serious = record(entity, "serious_listing", listed_on=date(2026, 1, 15)).seq
    longer = record(registered(), "serious_listing", listed_on=date(2026, 1, 15), until=date(2031, 1, 15)).seq
    abnormal = record(entity, "abnormal_listing").seq
    for seq in (serious, longer, abnormal):
        lives.passed(seq)
        lives.published(seq)
    assert (lives.row(serious).earliest, lives.row(serious).latest) == (date(2027, 1, 15), date(2029, 1, 15))
    assert lives.row(longer).latest == date(2031, 1, 15)
    assert lives.row(abnormal).latest is None
    with ledger.writing(now=NOW, schemes=[]) as pen:
        gone = statement("abnormal_listing", removed_on=date(2026, 11, 20))
        pen.correct(abnormal, gone, source="test")
    assert not lives.seen(abnormal)
