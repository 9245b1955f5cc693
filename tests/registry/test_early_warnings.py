"""Early warnings: raised where a model thinks an entity far likelier than others at fault, looked at, answered, counted."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from registry.clock import day_number, day_of
from registry.errors import TaskNotFound
from registry.models import Audit, EarlyWarning, Entity, GradeState, ModelScore, Task, WarningStep
from registry.services import early_warnings, grading, ledger, merges, tasks, warning_figures, warning_views, workdays
from registry.services.early_warnings import WarningConflict, WarningElsewhere, WarningNotFound, WarningRefused
from registry.services.warning_raising import Candidate, choose, line_of
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.warned import ORGAN, acts, crowd, desk, model, raise_new, say, warned

DAY = 86_400_000
LATER = TODAY + timedelta(days=9)
SERIOUS = [{"code": "5"}]


def disposed(warning, disposal=1, **given):
    early_warnings.assign(warning.id, to="李", desk=desk())
    return early_warnings.dispose(warning.id, disposal=disposal, said="已电话提醒。", **given, desk=desk())[0]


def answered(warning, outcome=3, **given):
    disposed(warning)
    return early_warnings.answer(warning.id, outcome=outcome, said="未能核查。", **given, desk=desk(today=LATER))[0]


def check(entity, day=LATER, **given):
    """Ledger number of a spot check after the warning."""
    return record(entity, "spot_check", checked_on=day, now=NOW + 10 * DAY, **given).seq


@pytest.fixture(autouse=True)
def _checks_of_later_days(monkeypatch):
    """What happened after the warning is stated on a later day than the factory knows."""
    monkeypatch.setattr("tests.factories.TODAY", TODAY + timedelta(days=60))


# --- raising -------------------------------------------------------------------------------------------------------


def test_who_is_three_times_as_likely_as_the_mean_is_warned_of_and_nobody_else(settings):
    many = crowd(settings, 9)
    champion = model()
    say(champion, {many[0]: 300_000, many[1]: 299_999} | dict.fromkeys(many[2:7], 80_000) | {many[7]: 1, many[8]: None})
    raised = raise_new(settings)
    assert (raised.scored, raised.mean, raised.line, raised.raised) == (8, 125_000, 375_000, 0)
    say(champion, {many[0]: 600_000, many[1]: 10_000})
    raised = raise_new(settings)
    assert (raised.above, raised.raised) == (1, 1)
    row = EarlyWarning.get()
    assert (row.entity, row.model_id, row.chance, row.state, row.day) == (
        many[0], champion.id, 600_000, "open", day_number(TODAY),
    )  # fmt: skip
    assert row.division == Entity.get_by_id(many[0]).division
    assert row.reasons[0]["feature"] == "since_check"
    assert row.assign_by == day_number(workdays.due(TODAY, 3))
    assert acts(row) == ["raised"]
    assert Audit.get(Audit.verb == "warning.raised").subject == f"warning {row.id}"


@pytest.mark.parametrize(
    ("scored", "total", "percent", "line"),
    [(8, 800_000, 300, 300_000), (3, 100_000, 300, 100_000), (3, 100_001, 300, 100_001), (7, 1, 100, 1)],
)
def test_the_line_is_the_lowest_chance_that_reaches_the_multiple(scored, total, percent, line):
    assert line_of(scored, total, percent) == line
    assert line * 100 * scored >= percent * total > (line - 1) * 100 * scored


def test_raising_again_raises_nothing_that_is_open(settings):
    warning = warned(settings)
    assert raise_new(settings).raised == 0
    early_warnings.assign(warning.id, to="李", desk=desk())
    assert raise_new(settings).raised == 0
    assert EarlyWarning.select().count() == 1


def test_who_was_looked_at_is_left_in_peace_for_a_while_and_who_was_not_is_not(settings):
    warning = warned(settings)
    answered(warning)
    closing = NOW + 10 * DAY
    early_warnings.close(warning.id, desk=desk(now=closing))
    assert raise_new(settings, now=closing + 180 * DAY - 1).raised == 0
    assert raise_new(settings, now=closing + 180 * DAY).raised == 1
    again = EarlyWarning.get(EarlyWarning.state == "open")
    early_warnings.close_all_of(again.model, "模型已停用", NOW)
    assert raise_new(settings, now=closing + 181 * DAY).raised == 1


def test_a_division_has_no_more_open_at_a_time_than_five_in_a_thousand_rounded_up(settings):
    here, there = crowd(settings, 8), [registered(credit_code(division="990202")) for _ in range(4)]
    grading.due(grading.scheme_named(settings), day=TODAY)
    chances = {here[0]: 700_000, here[1]: 800_000, there[0]: 650_000}
    say(model(), chances | dict.fromkeys([*here[2:], *there[1:]], 1_000))
    raised = raise_new(settings)
    assert (raised.above, raised.raised, raised.beyond) == (3, 2, 1)
    assert {row.entity for row in EarlyWarning.select()} == {here[1], there[0]}


def test_the_numbers_of_warnings_do_not_tell_who_is_likelier(settings):
    a, b = crowd(settings, 1)[0], registered(credit_code(division="990202"))
    rest = crowd(settings, 8)
    say(model(), {a: 800_000, b: 900_000} | dict.fromkeys(rest, 1_000))
    raise_new(settings)
    assert [row.entity for row in EarlyWarning.select().order_by(EarlyWarning.id)] == [a, b]


divisions = st.sampled_from(["990101", "990102", "990103"])


@effort(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 1_000_000), divisions), unique_by=lambda one: one[0]),
    st.dictionaries(divisions, st.integers(-2, 5)),
)
def test_nobody_is_passed_over_for_somebody_less_likely_in_the_same_division(rows, room):
    above = [Candidate(*row) for row in rows]
    chosen = choose(above, room)
    assert choose(above[::-1], room) == chosen
    for division in ("990101", "990102", "990103"):
        mine = sorted(one.chance for one in chosen if one.division == division)
        left = sorted(one.chance for one in above if one.division == division and one not in chosen)
        assert len(mine) == min(len(mine) + len(left), max(0, room.get(division, 0)))
        assert not mine or not left or left[-1] <= mine[0]


def test_who_is_graded_no_more_is_not_warned_of(settings):
    many = crowd(settings, 5)
    say(model(), {many[0]: 900_000} | dict.fromkeys(many[1:], 1_000))
    GradeState.delete().where(GradeState.entity == many[0]).execute()
    assert raise_new(settings).raised == 0


def test_without_a_champion_or_with_models_off_or_without_scores_nobody_is_warned_of(settings):
    many = crowd(settings, 5)
    say(model("shadow"), {many[0]: 900_000} | dict.fromkeys(many[1:], 1_000))
    say(model("champion", grades="food-producer"), {many[0]: 900_000} | dict.fromkeys(many[1:], 1_000))
    assert raise_new(settings).as_dict() == dict.fromkeys(("scored", "mean", "line", "above", "beyond", "raised"), 0)
    champion = model()
    assert raise_new(settings).scored == 0
    say(champion, {many[0]: 900_000} | dict.fromkeys(many[1:], 1_000))
    assert raise_new(replace(settings, model=replace(settings.model, use="off"))).scored == 0
    assert raise_new(settings).raised == 1


def test_more_than_a_chunk_is_raised_completely(on_sqlite):
    here = crowd(on_sqlite, 3)
    # A division for each: what a division may have open rounds up to one.
    many = [registered(credit_code(division=f"99{number:04d}")) for number in range(1100, 1160)]
    grading.due(grading.scheme_named(on_sqlite), day=TODAY)
    low = [registered(credit_code(division="990101")) for _ in range(240)]
    say(model(), dict.fromkeys(many, 900_000) | dict.fromkeys([*here, *low], 1))
    assert raise_new(on_sqlite).raised == 60
    assert WarningStep.select().count() == 60


# --- assigning -----------------------------------------------------------------------------------------------------


def test_a_warning_is_assigned_once_and_its_deadline_runs_in_working_days(settings):
    warning = warned(settings)
    row, new = early_warnings.assign(warning.id, to=" 李 ", desk=desk())
    assert (new, row.state, row.organ, row.assigned_to) == (True, "assigned", ORGAN, "李")
    assert row.answer_by == day_number(workdays.due(TODAY, 20))
    assert early_warnings.assign(warning.id, to="李", desk=desk())[1] is False
    assert acts(row) == ["raised", "assigned"]


def test_assigning_anew_gives_no_more_time(settings):
    warning = warned(settings)
    first, _ = early_warnings.assign(warning.id, to="李", desk=desk())
    second, new = early_warnings.assign(warning.id, to="赵", organ="信衡市西区市场监督管理局", desk=desk(today=LATER))
    assert (new, second.assigned_to, second.organ) == (True, "赵", "信衡市西区市场监督管理局")
    assert second.answer_by == first.answer_by


def test_without_a_person_or_an_organ_nothing_is_assigned(settings):
    warning = warned(settings)
    with pytest.raises(WarningRefused, match="who looks into it"):
        early_warnings.assign(warning.id, to=" ", desk=desk())
    with pytest.raises(WarningRefused, match="whose person"):
        early_warnings.assign(warning.id, to="李", desk=desk(organ=""))
    with pytest.raises(WarningNotFound, match="no early warning 999"):
        early_warnings.assign(999, to="李", desk=desk())
    assert EarlyWarning.get().state == "open"


# --- disposing -----------------------------------------------------------------------------------------------------


def test_what_was_done_is_one_of_a_list_in_words(settings):
    warning = warned(settings)
    with pytest.raises(WarningConflict, match=r"is open .*Assign it next"):
        early_warnings.dispose(warning.id, disposal=1, said="已电话提醒。", desk=desk())
    early_warnings.assign(warning.id, to="李", desk=desk())
    with pytest.raises(WarningRefused, match="3 约谈负责人"):
        early_warnings.dispose(warning.id, disposal=6, said="已电话提醒。", desk=desk())
    with pytest.raises(WarningRefused, match="what was done"):
        early_warnings.dispose(warning.id, disposal=1, said="", desk=desk())
    row, new = early_warnings.dispose(warning.id, disposal=3, said="已约谈，电话13800138000。", desk=desk())
    assert (new, row.state, row.disposal) == (True, "disposed", 3)
    assert "13800138000" not in WarningStep.get(WarningStep.act == "disposed").said
    assert early_warnings.dispose(warning.id, disposal=3, said="已约谈，电话13800138000。", desk=desk())[1] is False
    with pytest.raises(WarningConflict, match="feedback is next"):
        early_warnings.dispose(warning.id, disposal=1, said="另有处置。", desk=desk())
    with pytest.raises(WarningConflict, match="past being assigned"):
        early_warnings.assign(warning.id, to="赵", desk=desk())


def test_only_the_organ_that_it_is_assigned_to_works_on_it(settings):
    warning = warned(settings)
    early_warnings.assign(warning.id, to="李", desk=desk())
    elsewhere = desk(organ="信衡市西区市场监督管理局")
    with pytest.raises(WarningElsewhere, match="assign it anew"):
        early_warnings.dispose(warning.id, disposal=1, said="已电话提醒。", desk=elsewhere)
    early_warnings.dispose(warning.id, disposal=1, said="已电话提醒。", desk=desk(organ=""))
    with pytest.raises(WarningElsewhere, match="assigned to"):
        early_warnings.answer(warning.id, outcome=3, said="未核查。", desk=elsewhere)


def test_an_on_site_check_may_name_its_task_and_nothing_else_may(settings):
    task = tasks.create(
        type="transferred_lead", title="预警核查", basis="风险预警", organ=ORGAN, items=["公示信息检查"], from_on=TODAY,
        to_on=LATER, actor="key:张", now=NOW,
    )  # fmt: skip
    assert isinstance(task, Task)
    warning = warned(settings)
    early_warnings.assign(warning.id, to="李", desk=desk())
    with pytest.raises(WarningRefused, match="on-site check"):
        early_warnings.dispose(warning.id, disposal=1, said="已电话提醒。", task=task.id, desk=desk())
    with pytest.raises(TaskNotFound):
        early_warnings.dispose(warning.id, disposal=2, said="已安排。", task=task.id + 1, desk=desk())
    row, _ = early_warnings.dispose(warning.id, disposal=2, said="已安排。", task=task.id, desk=desk())
    assert (row.task, warning_views.one(row, TODAY)["steps"][-1]["detail"]) == (
        task.id,
        {"disposal": 2, "task": task.id},
    )


# --- feedback ------------------------------------------------------------------------------------------------------


def answer(warning, outcome, seq=None):
    return early_warnings.answer(warning.id, outcome=outcome, said="现场检查。", record=seq, desk=desk(today=LATER))


def test_a_violation_is_shown_by_a_later_check_or_penalty_about_the_entity(settings):
    warning = warned(settings)
    before = check(warning.entity, TODAY - timedelta(days=1), results=SERIOUS)
    same_day = check(warning.entity, TODAY, results=SERIOUS)
    with pytest.raises(WarningConflict, match="Assign it next"):
        answer(warning, 2)
    disposed(warning)
    with pytest.raises(WarningRefused, match="needs `record`"):
        answer(warning, 1)
    with pytest.raises(WarningRefused, match="what came before cannot show"):
        answer(warning, 1, before)
    clean = check(warning.entity, TODAY + timedelta(days=5))
    with pytest.raises(WarningRefused, match="found nothing"):
        answer(warning, 1, clean)
    another = check(registered(), results=SERIOUS)
    report = record(warning.entity, "annual_report").seq
    for wrong in (another, report, 999_999):
        with pytest.raises(WarningRefused, match="no spot check or penalty about this entity"):
            answer(warning, 1, wrong)
    found = same_day
    row, new = answer(warning, 1, found)
    assert (new, row.state, row.outcome, row.record) == (True, "answered", 1, found)
    assert answer(warning, 1, found)[1] is False
    with pytest.raises(WarningConflict, match="Close it next"):
        answer(warning, 2)


def test_the_records_that_may_be_named_are_told(settings):
    warning = warned(settings)
    check(warning.entity, TODAY - timedelta(days=1), results=SERIOUS)
    clean, found = check(warning.entity, TODAY + timedelta(days=2)), check(warning.entity, results=SERIOUS)
    fine = record(warning.entity, "penalty", decided_on=LATER + timedelta(days=3)).seq
    told = warning_views.one(warning, TODAY)["records"]
    assert [(one["seq"], one["kind"], one["found"]) for one in told] == [
        (clean, "spot_check", False), (found, "spot_check", True), (fine, "penalty", True),
    ]  # fmt: skip


def test_what_was_withdrawn_shows_nothing(settings):
    warning = disposed(warned(settings))
    seq = check(warning.entity, results=SERIOUS)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(seq, source="test", reason="错")
    with pytest.raises(WarningRefused, match="withdrawn"):
        answer(warning, 1, seq)


def test_a_record_of_what_was_merged_into_the_entity_shows_it(settings):
    warning = disposed(warned(settings))
    other = registered()
    seq = check(other, results=SERIOUS)
    codes = [Entity.get_by_id(one).code for one in (other, warning.entity)]
    merges.merge(*codes, reason="同一主体", actor="key:张", today=TODAY, now=NOW, schemes=[])
    assert answer(warning, 1, seq)[0].record == seq


def test_nothing_found_may_name_the_check_that_found_nothing_and_no_other(settings):
    warning = disposed(warned(settings))
    bad, clean = check(warning.entity, TODAY + timedelta(days=2), results=SERIOUS), check(warning.entity)
    with pytest.raises(WarningRefused, match="not a spot check that found nothing"):
        answer(warning, 2, bad)
    with pytest.raises(WarningRefused, match="no record"):
        answer(warning, 3, clean)
    with pytest.raises(WarningRefused, match="2 未发现问题"):
        answer(warning, 4)
    assert answer(warning, 2, clean)[0].record == clean


def test_what_was_transferred_may_be_answered_without_a_record(settings):
    warning = disposed(warned(settings), 4)
    assert answer(warning, 1)[0].outcome == 1


# --- closing -------------------------------------------------------------------------------------------------------


def test_a_warning_is_closed_after_its_feedback_and_once(settings):
    warning = warned(settings)
    with pytest.raises(WarningConflict, match="once it has its feedback"):
        early_warnings.close(warning.id, desk=desk())
    answered(warning)
    row, new = early_warnings.close(warning.id, said="办结。", desk=desk())
    assert (new, row.state, row.closed_at) == (True, "closed", NOW)
    assert early_warnings.close(warning.id, desk=desk())[1] is False
    assert acts(row) == ["raised", "assigned", "disposed", "answered", "closed"]
    assert {one.verb for one in Audit.select().where(Audit.subject == f"warning {row.id}")} == {
        f"warning.{act}" for act in acts(row)
    }


# --- lists and figures ---------------------------------------------------------------------------------------------


def test_what_is_overdue_is_listed_by_the_step_that_is_late(settings):
    warning = warned(settings)
    last = day_of(warning.assign_by)

    def late(day):
        listed = [one["id"] for one in warning_views.page(day, overdue=True).items]
        rest = [one["id"] for one in warning_views.page(day, overdue=False).items]
        assert sorted(listed + rest) == [warning.id]
        assert warning_views.one(warning, day)["overdue"] is bool(listed)
        return bool(listed), warning_figures.figures(day)["overdue"]

    assert late(last) == (False, {"unassigned": 0, "unanswered": 0})
    assert late(last + timedelta(days=1)) == (True, {"unassigned": 1, "unanswered": 0})
    row = disposed(warning)
    last = day_of(row.answer_by)
    assert late(last) == (False, {"unassigned": 0, "unanswered": 0})
    assert late(last + timedelta(days=1)) == (True, {"unassigned": 0, "unanswered": 1})
    answer(row, 3)
    assert late(last + timedelta(days=1)) == (False, {"unassigned": 0, "unanswered": 0})


def test_the_share_of_false_alarms_counts_only_what_was_looked_into(settings):
    champion = model()
    for number, (outcome, day) in enumerate(
        [(1, TODAY), (2, TODAY), (2, TODAY), (3, TODAY), (0, TODAY), (2, date(2026, 9, 30))]
    ):
        EarlyWarning.create(
            entity=crowd(settings, 1)[0], model=champion, chance=1, reasons=[], division=f"99010{number % 2}",
            day=day_number(day), state="answered" if outcome else "open", assign_by=1, outcome=outcome, raised_at=NOW,
        )  # fmt: skip
    found = warning_figures.figures(TODAY)
    newest, before = found["quarters"]
    assert (newest["quarter"], newest["raised"], newest["violation"], newest["nothing"], newest["not_looked"], newest["looked"]) == (
        "2026Q4", 5, 1, 2, 1, 3,
    )  # fmt: skip
    assert newest["false_alarms"] == {"share": 0.6667, "low": 0.2077, "high": 0.9385}
    assert (before["quarter"], before["false_alarms"]["share"], newest["waiting"]) == ("2026Q3", 1.0, 1)
    assert warning_figures.figures(TODAY, divisions=("990101",))["quarters"][0]["raised"] == 2
    assert len(warning_figures.figures(TODAY, since=TODAY)["quarters"]) == 1
    assert found["states"] == {"open": 1, "assigned": 0, "disposed": 0, "answered": 5, "closed": 0}


def test_a_later_record_that_found_something_reminds_of_the_missing_feedback(settings):
    warning = warned(settings)
    check(warning.entity, TODAY, results=SERIOUS)
    check(warning.entity, TODAY + timedelta(days=1))
    assert warning_figures.figures(TODAY)["to_remind"] == 0
    seq = check(warning.entity, results=SERIOUS)
    found = warning_figures.figures(TODAY)
    assert (found["to_remind"], found["quarters"][0]["found_waiting"]) == (1, 1)
    disposed(warning)
    answer(warning, 1, seq)
    assert warning_figures.figures(TODAY)["to_remind"] == 0


def test_no_share_is_given_of_nothing(settings):
    assert warning_figures.figures(TODAY)["quarters"] == []
    warned(settings)
    assert warning_figures.figures(TODAY)["quarters"][0]["false_alarms"] is None


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0, 0.27753), (10, 10, 0.72247, 1), (2, 3, 0.20766, 0.93851), (81, 263, 0.25529, 0.36620)]
)  # fmt: skip
def test_the_interval_is_wilsons(hits, of, low, high):
    # The last is the example of Newcombe (1998), Statistics in Medicine 17.
    assert warning_figures.wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("hits", "of"), [(1, 0), (0, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_has_no_interval(hits, of):
    with pytest.raises(ValueError, match="no share"):
        warning_figures.wilson(hits, of)


def test_a_page_and_the_figures_cost_the_same_however_many_there_are(settings, count_queries):
    first = warned(settings)

    def cost():
        with count_queries() as queries:
            assert warning_views.page(TODAY, limit=1).items
            warning_figures.figures(TODAY)
        return len(queries)

    before = cost()
    for number in range(3):
        warned(settings, registered(credit_code(division=f"99020{number}")))
    assert cost() == before
    pages, after = [], None
    while True:
        found = warning_views.page(TODAY, limit=2, after=after)
        pages += [one["id"] for one in found.items]
        if (after := found.next) is None:
            break
    assert pages == sorted((row.id for row in EarlyWarning.select()), reverse=True)
    assert pages[-1] == first.id
    assert ModelScore.select().count() > 3
