"""`xinheng explain` where a record behind the points may not be shown any more."""

from datetime import date

import pytest

from api.cli import ways_page
from registry import clock
from registry.services import book, ledger
from rules.scheme import load
from tests.api.test_cli import caller, read
from tests.conftest import NOW
from tests.factories import credit_code, record, registered
from tests.registry import deeds, worlds
from tests.registry.test_grading import copy_of

ORGAN = "信衡市市场监督管理局"
VIOLATION = "虚构的违法行为名称"


@pytest.fixture
def xinheng(settings):
    yield from caller(settings)


def fined(code):
    """A registered enterprise with one heavy penalty that counts, graded."""
    entity = registered(code)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("registration", "penalty", "abnormal_listing"):
            pen.cover(kind, "", date(2015, 1, 1), None, source="test")
    return entity


@pytest.mark.parametrize(
    ("silence", "zh", "en"),
    [(deeds.repaired, "已信用修复", "repaired"), (deeds.withdrawn, "已撤回", "withdrawn")],
    ids=["repaired", "withdrawn"],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_silenced_record_is_told_by_its_number_and_why_also_with_what_was_known_before(
    xinheng, silence, zh, en, lang
):
    code = credit_code()
    seq = record(fined(code), fine_fen=200_000_00, violation=VIOLATION, document_no="信市监罚〔2026〕91号").seq
    xinheng("grade", code)
    assert VIOLATION in xinheng("explain", code).stdout
    deeds.shown(seq)
    before = ledger.head()
    silence(seq)
    page = xinheng("explain", code, "--known-at", before, "--lang", lang).stdout
    assert str(seq) in page
    assert {"zh": zh, "en": en}[lang] in page
    assert not [word for word in (VIOLATION, "2026]91", "2026〕91", ORGAN, "2026-03-02") if word in page]
    told = read(xinheng("explain", code, "--known-at", before, "--json"))
    resting = [row for row in told["points"] if row["records"] == [seq]]
    assert resting
    assert all(zh in row["sentence"]["zh"] and en in row["sentence"]["en"] for row in resting)
    assert sum(row["points"] for row in told["points"]) == told["score"]


def test_an_explanation_after_the_repair_prints_a_whole_page(xinheng):
    code = credit_code()
    seq = record(fined(code), fine_fen=200_000_00, violation=VIOLATION).seq
    deeds.shown(seq)
    xinheng("grade", code)
    deeds.repaired(seq)
    page = xinheng("explain", code).stdout
    assert "摘要" in page
    assert VIOLATION not in page


def test_what_was_activated_later_than_the_moment_asked_for_does_not_explain_it(xinheng, settings, tmp_path):
    code = credit_code()
    record(fined(code))
    before, today = ledger.head(), clock.today(settings.jobs.timezone)
    other = load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path), book.numbers())
    worlds.activate(other, today)
    then, now = (
        read(xinheng("explain", code, "--on", today, *known, "--json")) for known in (("--known-at", before), ())
    )
    assert then["scheme_hash"] == book.shipped(settings)["general-risk"].hash
    assert now["scheme_hash"] == other.hash


def test_the_head_names_the_content_of_the_scheme_and_a_trial_says_that_it_is_none_that_holds(xinheng, settings):
    code = credit_code()
    record(fined(code))
    xinheng("grade", code)
    one = book.shipped(settings)["general-risk"]
    page = xinheng("explain", code).stdout
    assert f"{one.title.zh} general-risk@{one.hash[:12]}" in page
    assert "仅为试算" not in page
    assert "未能判定的规则" in page
    assert one.rules[read(xinheng("explain", code, "--json"))["undecided"][0]].title.zh in page
    trial = xinheng("explain", code, "--scheme", "quality-credit-gbt23791").stdout
    assert "quality-credit-gbt23791@" in trial
    assert "仅为试算，不是有效的分类" in trial
    assert read(xinheng("explain", code, "--scheme", "quality-credit-gbt23791", "--json"))["holds"] is False


def test_what_decided_is_told_by_its_title_and_first_and_holds_that_move_nothing_are_left_out(xinheng):
    code = credit_code()
    entity = fined(code)
    record(entity, kinds=["revoked_licence"], fine_fen=300_000_00)
    record(entity, "serious_listing")
    xinheng("grade", code)
    told = read(xinheng("explain", code, "--json"))
    page = xinheng("explain", code).stdout
    assert f"由此规则决定: {told['decided']['title']['zh']}" in page
    assert "veto:" not in page
    assert f"“{told['decided']['title']['zh']}”适用期间" in page
    deciding = next(row for row in told["points"] if row["rule"] == told["decided_by"])
    others = [row for row in told["points"] if row["points"] and row is not deciding]
    assert all(page.index(deciding["sentence"]["zh"][:12]) < page.index(row["sentence"]["zh"][:12]) for row in others)
    idle = [row for row in told["points"] if not row["points"] and row["rule"].startswith(("veto:", "cap:"))]
    assert not [row for row in idle if row is not deciding and row["sentence"]["zh"][:16] in page]


def test_knowledge_before_the_ledger_or_beyond_its_end_is_told_with_what_there_is(xinheng):
    code = credit_code()
    record(fined(code))
    xinheng("grade", code)
    assert "the ledger begins on 2026-11-21T" in xinheng("explain", code, "--known-at", "2019-01-01", status=3).stderr
    beyond = xinheng("explain", code, "--known-at", 99999999)
    assert f"the last number of the ledger is {ledger.head()}" in beyond.stderr
    assert "摘要" in beyond.stdout


def test_who_has_no_changes_is_told_so_and_a_wrong_number_or_code_names_the_command(xinheng):
    code = credit_code()
    record(fined(code))
    xinheng("grade", code)
    for asked in ((), (code,)):
        assert "No grade change" in xinheng("changes", *asked).stdout
    assert "`xinheng changes`" in xinheng("changes", "--why", 999, status=3).stderr
    assert "`xinheng serve`" in xinheng("changes", credit_code(), status=3).stderr


def ways(**given):
    one = {
        "id": "report:2025",
        "zh": "补报",
        "en": "file the report",
        "on": "2026-11-21",
        "records": [],
        "conditions": [],
    }
    way = {"actions": ["report:2025"], "on": "2026-11-21", "class": "C", "score": 700}
    return {
        "on": "2026-11-21", "class": "D", "score": 800, "down": [], "exact": True, "actions": [one], "waiting": None,
        "until": "2031-11-21", "worse": None, "up": [], "way": way, **given,
    }  # fmt: skip


def test_what_can_be_done_in_vain_is_listed_under_a_line_that_says_so():
    found = list(ways_page.lines(ways(), best="A", lang="en"))
    assert found[1:] == [
        "  Waiting alone does not help until 2031-11-21.",
        "  These can be done, but the class is no better on the day they are done:",
        "    · file the report — done by 2026-11-21",
    ]
    nothing = list(ways_page.lines(ways(actions=[]), best="A", lang="zh"))
    assert nothing[1:] == ["  没有企业现在可以办理的事项。", "  仅待时日，至 2031-11-21 不会改善。"]


@pytest.mark.parametrize(("number", "said"), [(1, "(1 deed, done by"), (2, "(2 deeds, done by")])
def test_deeds_are_counted_in_words_that_agree(number, said):
    way = {**ways()["way"], "actions": ["report:2025"] * number}
    assert said in list(ways_page.lines(ways(down=[way]), best="A", lang="en"))[1]
