"""`xinheng explain` where a record behind the points may not be shown any more."""

from datetime import date

import pytest

from registry.services import ledger
from tests.api.test_cli import caller, read
from tests.conftest import NOW
from tests.factories import credit_code, record, registered
from tests.registry import deeds

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
