"""What the tests of governance share: a district with a few grades, and general-risk with one parameter changed."""

import re
from datetime import date, timedelta

from registry.services import governance, grading, ledger, scheme_files
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement

ANNA, BEN, CARL, DORA = (f"test:{name}" for name in ("anna", "ben", "carl", "dora"))
LATER = TODAY + timedelta(days=7)
REASON = "行政处罚折算后每分计 300 分。"
# The rule whose one parameter is changed, and what it is changed to.
RULE, NEW_POINTS = "penalty_weight", 300


def shipped(settings, name="general-risk"):
    return scheme_files.read(settings.path(settings.grading.book) / name)


def heavier(settings, points=NEW_POINTS):
    """The files of general-risk with more points for a penalty's weight, and the worked cases that say so."""
    files = shipped(settings)
    place = f"[[rule.{RULE}.parameter.points_each]]"
    text = files["rules/penalty.toml"]
    start = text.index(place)
    (was,) = re.findall(r"^value\s*=\s*(\d+)", text[start:], re.MULTILINE)[:1]
    changed = re.sub(r"^(value\s*=\s*)\d+", rf"\g<1>{points}", text[start:], count=1, flags=re.MULTILINE)
    files["rules/penalty.toml"] = text[:start] + changed

    def again(case):
        if f'"{RULE}"' not in case or re.search(r"^subject", case, re.MULTILINE):
            return case
        return re.sub(r"points = (\d+)", lambda found: f"points = {int(found[1]) * points // int(was)}", case)

    cases = files["rules/penalty.cases.toml"].split("[[case]]")
    files["rules/penalty.cases.toml"] = "[[case]]".join(map(again, cases))
    return files


def dated(settings, first, points=NEW_POINTS):
    """The files of general-risk with more points for a penalty's weight from a day on, without the worked cases of that day."""
    files, place = shipped(settings), f"[[rule.{RULE}.parameter.points_each]]"
    text = files["rules/penalty.toml"]
    was = text[text.index(place) :].split("\n\n")[0]
    until = re.sub(r"^(from\s*= .*)$", rf"\1\nuntil = {first}", was, flags=re.MULTILINE)
    then = re.sub(r"^from\s*= .*$", f"from = {first}", was, flags=re.MULTILINE)
    then = re.sub(r"^(value\s*=\s*)\d+", rf"\g<1>{points}", then, flags=re.MULTILINE)
    return files | {"rules/penalty.toml": text.replace(was, f"{until}\n\n{then}")}


def local(id_="local-look", *, rests_on="product_default", points=10):
    """The files of a small scheme that the book does not have: it counts penalties."""
    basis = f'basis = {{ instrument = "Invented", kind = "{rests_on}" }}'
    return {
        "scheme.toml": (
            f'[scheme]\nid = "{id_}"\ntitle = {{ zh = "本地方案", en = "Local scheme" }}\nsubjects = ["enterprise"]\n'
            'lowest = 0\nhighest = 100\ndirection = "higher_is_riskier"\n\n[[scheme.cuts]]\nfrom = 2020-01-01\n'
            f'classes = [{{ class = "A", to = 49 }}, {{ class = "B", to = 100 }}]\n{basis}\n\n'
            '[group.records]\ntitle = { zh = "记录", en = "Records" }\n\n[second.penalty]\ngroup = "records"\n'
            'title = { zh = "行政处罚", en = "Penalties" }\n'
        ),
        "indicators/penalty.toml": (
            '[indicator.penalties]\nsecond = "penalty"\ntitle = { zh = "处罚次数", en = "Penalties" }\nunit = "count"\n'
            'kind = "penalty"\nmeasure = "count"\n'
        ),
        "rules/penalty.toml": (
            '[rule.penalised]\nsecond = "penalty"\ntitle = { zh = "受过处罚", en = "Penalised" }\nwhen = "penalties >= 1"\n'
            'points = "points_each * penalties"\nreason = { zh = "处罚 {penalties} 次", en = "{penalties} penalties" }\n\n'
            f'[[rule.penalised.parameter.points_each]]\nfrom = 2020-01-01\nvalue = {points}\nunit = "point"\n{basis}\n'
        ),
        "rules/penalty.cases.toml": (
            '[[case]]\nrule = "penalised"\nname = "two penalties"\non = 2026-01-01\ngiven = { penalties = 2 }\n'
            f'expect = {{ result = "hit", points = {2 * points} }}\n'
        ),
    }  # fmt: skip


def without_blame(number):
    """A registered enterprise without blame, graded well: its id."""
    code = credit_code(number=number)
    entity = registered(code, industry=6513, capital_fen=1_000_000_00, address="990101示例路1号")
    reports = [statement("annual_report", year=year, filed_on=date(year + 1, 4, 1)) for year in range(2019, 2026)]
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.state([(entity, report) for report in reports], source="test")
    return entity


def district(settings):
    """Ids of an enterprise without blame and of one with two penalties; both graded."""
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"):
            pen.cover(kind, "", date(2019, 1, 1), None, source="test")
    good, bad = without_blame(1), without_blame(2)
    record(bad)
    record(bad)
    graded(settings)
    return good, bad


def graded(settings, day=TODAY):
    for name in grading.schemes(settings):
        grading.due(grading.scheme_named(settings, name, day), day=day, now=lambda: NOW)


def proposed(settings, files=None, *, by=ANNA, from_day=LATER, today=TODAY, reason=REASON):
    return governance.propose(
        settings, files=files or heavier(settings), reason=reason, from_day=from_day, by=by, today=today, now=NOW
    )


def compared(settings, number, by=ANNA, today=TODAY):
    return governance.compare(settings, number, by=by, today=today, now=NOW)


def approved(settings, number, by, today=TODAY, **given):
    return governance.approve(settings, number, by=by, today=today, now=NOW, **given)


def activated(settings, files=None, from_day=LATER, today=TODAY):
    """A proposal that went the whole way; its number."""
    number = proposed(settings, files, from_day=from_day, today=today).proposal.id
    compared(settings, number, today=today)
    for by in (BEN, CARL):
        approved(settings, number, by, today)
    return number
