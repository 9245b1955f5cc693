"""Records posted, corrected and withdrawn: stored and graded in one transaction, by the organ they belong to."""

from datetime import date, timedelta

import pytest

from registry import database
from registry.errors import BadCursor, BadRecord, RecordConflict, RecordNotFound, UnknownKind
from registry.models import Audit, Entity, Fact, Grade, GradeState, Record, Stale
from registry.services import batches, grading, ledger, records
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN

SCHEMES = ["general-risk"]
CODE = credit_code(number=1)


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


def payload(code=CODE, **given):
    return {
        "party": {"code": code},
        "document_no": "信1号",
        "decided_on": "2026-03-02",
        "kinds": ["fine"],
        "fine_fen": 5_000_00,
        **given,
    }


def checked(*payloads, kind="penalty"):
    return [records.check(kind, one, organ=ORGAN, today=TODAY) for one in payloads]


def by(scheme, **more):
    return {
        "source": "key:x",
        "actor": "key:x",
        "scheme": scheme,
        "schemes": SCHEMES,
        "today": TODAY,
        "now": NOW,
        **more,
    }


def post(scheme, *payloads, **more):
    return records.post(checked(*payloads), **by(scheme, **more))


def correct(scheme, seq, given, kind="penalty", organ=ORGAN):
    return records.correct(seq, kind, given, organ=organ, reason="笔误", **by(scheme))


def withdraw(scheme, seq, kind="penalty", organ=ORGAN, reason="复议撤销"):
    return records.withdraw(seq, kind, organ=organ, reason=reason, **by(scheme))


def graded_as_from_scratch(scheme):
    """Whether the grade that stands is the one that grading again would give."""
    before = [(row.entity, row.class_, row.score, row.digest) for row in GradeState.select()]
    for row in GradeState.select():
        grading.one(scheme, [row.entity], day=TODAY)
    return before == [(row.entity, row.class_, row.score, row.digest) for row in GradeState.select()]


def test_a_post_stores_the_record_and_the_new_grade_together(scheme):
    entity = registered(CODE)
    grading.due(scheme, day=TODAY)
    (posted,) = post(scheme, payload(), with_grades=True)
    assert (posted.said, posted.entity, posted.code, posted.provisional, posted.undated) == (
        "stored",
        entity,
        CODE,
        False,
        False,
    )
    assert posted.before.score < posted.after.score
    state = GradeState.get()
    assert (state.known, state.score) == (posted.seq, posted.after.score)
    assert Stale.select().count() == 0
    assert graded_as_from_scratch(scheme)


def test_the_same_post_again_changes_nothing_at_all(scheme):
    registered(CODE)
    (first,) = post(scheme, payload())
    head, notes, grades = ledger.head(), Audit.select().count(), Grade.select().count()
    (again,) = post(scheme, payload())
    assert (again.said, again.seq) == ("unchanged", first.seq)
    assert (ledger.head(), Audit.select().count(), Grade.select().count()) == (head, notes, grades)


def test_a_post_leaves_one_audit_entry_about_the_whole_of_it(scheme):
    registered(CODE)
    post(scheme, payload(), payload(document_no="信2号"))
    (note,) = Audit.select()
    assert (note.verb, note.actor, note.subject, note.at) == ("records.posted", "key:x", "penalty × 2", NOW)


def test_the_same_record_twice_in_one_post_is_stored_once(scheme):
    registered(CODE)
    assert [one.said for one in post(scheme, payload(), payload())] == ["stored", "unchanged"]


def test_should_grading_fail_the_record_and_its_mark_are_kept_and_the_worker_follows(scheme, monkeypatch):
    entity = registered(CODE)
    grading.due(scheme, day=TODAY)

    def failing(*given):
        database.execute("UPDATE grade_state SET score = 999")  # what was half done must go
        raise ZeroDivisionError

    monkeypatch.setattr(grading, "grade", failing)
    (posted,) = post(scheme, payload())
    monkeypatch.undo()
    assert posted.said == "stored"
    assert [(row.entity, row.seq) for row in Stale.select()] == [(entity, posted.seq)]
    assert GradeState.get().score != 999
    assert GradeState.get().known < posted.seq
    assert grading.due(scheme, day=TODAY).changed == 1
    assert GradeState.get().known == posted.seq


def test_a_post_about_an_unregistered_code_makes_a_provisional_entity_without_a_grade(scheme):
    (posted,) = post(scheme, payload(), with_grades=True)
    assert (posted.provisional, posted.before, posted.after) == (True, None, None)
    assert (Entity.get().provisional, GradeState.select().count(), Stale.select().count()) == (True, 0, 0)


def test_a_post_about_an_unknown_registration_number_is_refused_and_nothing_of_the_post_is_stored(scheme):
    registered(CODE)
    head = ledger.head()
    with pytest.raises(BadRecord, match="No entity is registered under this number"):
        post(scheme, payload(), payload("330000000063296", document_no="信2号"))
    assert ledger.head() == head


def test_a_batch_stores_the_good_rows_and_names_the_bad_ones_in_order(scheme):
    registered(CODE)
    rows = [
        payload(),
        payload(fine_fen=-1, document_no="信2号"),
        "no object",
        payload("330000000063296"),
        payload(document_no="信3号"),
    ]
    said = batches.post("penalty", rows, organ=ORGAN, with_grades=False, **by(scheme))
    assert [row.posted.said if row.posted else sorted(row.problems) for row in said] == [
        "stored", ["fine_fen"], ["record"], ["party.code"], "stored",
    ]  # fmt: skip
    assert Record.select().where(Record.kind == "penalty").count() == 2


def test_an_undated_record_is_kept_and_told_to_be_undated(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload(decided_on=None))
    assert posted.undated
    assert Fact.select().where(Fact.kind == 2).count() == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fine_fen": -1}, "fine_fen"),
        ({"fine_fen": "5000"}, "fine_fen"),
        ({"fine_fen": 10**16}, "fine_fen"),
        ({"decided_on": "2026-11-22"}, "decided_on"),
        ({"decided_on": "1949-09-30"}, "decided_on"),
        ({"publish_until": "2026-03-01"}, "publish_until"),
        ({"violation": "a\x00b"}, "violation"),
        ({"fine": 5}, "fine"),
        ({"organ": "别的机关"}, "organ"),
        ({"kinds": ["jail"]}, "kinds"),
        ({"kinds": 3}, "kinds"),
        ({"party": None}, "party"),
        ({"party": {"code": CODE, "phone": "1"}}, "party.phone"),
        ({"party": {"code": "9.1E+17"}}, "party.code"),
        ({"party": {"code": 913301060000000000}}, "party.code"),
        ({"party": {"code": ""}}, "party.code"),
        ({"party": {"code": CODE, "name": "a\x00b"}}, "party.name"),
        ({"document_no": "信" * 128}, "document_no"),
    ],
)
def test_a_record_that_its_kind_refuses_names_the_field(given, field):
    with pytest.raises(BadRecord) as caught:
        checked(payload(**given))
    assert list(caught.value.problems) == [field]
    assert all(text.endswith((".", "。")) or text for text in caught.value.problems[field])


def test_kinds_that_nobody_may_post_or_that_do_not_exist_are_named():
    with pytest.raises(UnknownKind, match=r"no kind of record 'penalties'\. Kinds are: registration, penalty"):
        checked(payload(), kind="penalties")
    with pytest.raises(BadRecord, match="come from files only"):
        checked(payload(), kind="registration")


def test_a_correction_replaces_the_record_and_the_grade_in_one_transaction(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload(fine_fen=500_000_00))
    before = GradeState.get().score
    outcome = correct(scheme, posted.seq, payload(fine_fen=0, kinds=["warning"]))
    assert outcome.said == "corrected"
    assert GradeState.get().score < before
    assert graded_as_from_scratch(scheme)
    assert [fact.amount for fact in Fact.select().where((Fact.kind == 2) & Fact.gone.is_null())] == [0]
    note = Audit.select().order_by(Audit.id.desc()).get()
    assert (note.seq, note.detail) == (outcome.seq, {"reason": "笔误"})


def test_the_audit_tells_of_corrections_and_withdrawals_that_happened_and_of_no_others(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload())

    def noted():
        return [note.verb for note in Audit.select().order_by(Audit.id)][1:]

    assert correct(scheme, posted.seq, payload()).said == "unchanged"
    assert noted() == []
    newer = correct(scheme, posted.seq, payload(fine_fen=1))
    assert noted() == ["record.corrected"]
    withdraw(scheme, newer.seq)
    withdraw(scheme, newer.seq)
    assert noted() == ["record.corrected", "record.withdrawn"]


def test_a_correction_is_refused_where_it_would_make_another_record(scheme):
    registered(CODE), registered(credit_code(number=2))
    (posted,) = post(scheme, payload())
    with pytest.raises(RecordConflict, match="about another party"):
        correct(scheme, posted.seq, payload(credit_code(number=2)))
    with pytest.raises(RecordConflict, match="another document number"):
        correct(scheme, posted.seq, payload(document_no="信2号"))
    with pytest.raises(RecordConflict, match="is of kind penalty, not spot_check"):
        correct(scheme, posted.seq, {"party": {"code": CODE}, "results": [{"code": "1"}]}, kind="spot_check")
    with pytest.raises(RecordNotFound, match="别的机关 has no record"):
        correct(scheme, posted.seq, payload(), organ="别的机关")
    with pytest.raises(RecordNotFound):
        correct(scheme, 10**9, payload())


def test_a_replaced_record_cannot_be_corrected_again_and_the_current_one_is_named(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload())
    newer = correct(scheme, posted.seq, payload(fine_fen=1))
    with pytest.raises(RecordConflict, match=f"already replaced by {newer.seq}"):
        correct(scheme, posted.seq, payload(fine_fen=2))
    assert correct(scheme, newer.seq, payload(fine_fen=2)).said == "corrected"


def test_a_withdrawal_takes_the_points_away_and_may_be_repeated(scheme):
    registered(CODE)
    grading.due(scheme, day=TODAY)
    before = (GradeState.get().score, GradeState.get().digest)
    (posted,) = post(scheme, payload())
    gone = withdraw(scheme, posted.seq)
    assert (GradeState.get().score, GradeState.get().digest) == before
    head = ledger.head()
    for seq in (posted.seq, gone.seq):
        again = withdraw(scheme, seq)
        assert (again.said, again.seq) == ("unchanged", gone.seq)
    assert ledger.head() == head
    with pytest.raises(RecordConflict):
        correct(scheme, posted.seq, payload(fine_fen=1))


def test_the_reason_of_a_withdrawal_is_kept_with_personal_numbers_masked(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload())
    gone = withdraw(scheme, posted.seq, reason="当事人13912345678申诉")
    assert Record.get(Record.seq == gone.seq).detail["withdrawn_because"] == "当事人(电话)申诉"


def test_posting_a_withdrawn_record_again_does_not_bring_it_back(scheme):
    registered(CODE)
    (posted,) = post(scheme, payload())
    gone = withdraw(scheme, posted.seq)
    (again,) = post(scheme, payload(fine_fen=7))
    assert (again.said, again.seq) == ("withdrawn", gone.seq)


def pages(entity, limit, kind=None):
    seen, after = [], None
    while True:
        page = records.page(Entity.get_by_id(entity), kind=kind, after=after, limit=limit)
        seen += [item.seq for item in page.items]
        after = page.next
        if after is None:
            return seen


def test_the_pages_of_a_dossier_neither_skip_nor_repeat_and_end_with_the_undated(settings):
    entity = registered()
    made = [
        (
            record(
                entity,
                document_no=f"信{n}号",
                decided_on=None if n % 4 == 0 else date(2026, 1, 1) + timedelta(days=n // 2),
            ).seq,
            n,
        )
        for n in range(17)
    ]
    dated = sorted(
        (seq for seq, n in made if n % 4),
        key=lambda seq: (Record.get(Record.seq == seq).happened_on, seq),
        reverse=True,
    )
    undated = sorted((seq for seq, n in made if n % 4 == 0), reverse=True)
    expected = dated + undated
    position = Record.get(Record.kind == "registration").seq
    for limit in (1, 3, 17, 50):
        assert [seq for seq in pages(entity, limit) if seq != position] == expected
        assert pages(entity, limit, kind="penalty") == expected


def test_withdrawn_and_replaced_records_are_not_in_the_dossier(scheme):
    entity = registered(CODE)
    first, second = post(scheme, payload(), payload(document_no="信2号"))
    withdraw(scheme, first.seq)
    newer = correct(scheme, second.seq, payload(document_no="信2号", fine_fen=1))
    assert pages(entity, 10, kind="penalty") == [newer.seq]


def test_a_page_costs_one_query_whatever_the_size(settings, count_queries):
    entity = Entity.get_by_id(registered())
    for number in range(12):
        record(entity.id, document_no=f"信{number}号")
    costs = []
    for limit in (1, 12):
        with count_queries() as queries:
            records.page(entity, kind=None, after=None, limit=limit)
        costs.append(len(queries))
    assert costs == [1, 1]


def test_a_token_of_another_list_is_refused(settings):
    entity = Entity.get_by_id(registered())
    for token in ("x", "WzFd", "bnVsbA"):
        with pytest.raises(BadCursor):
            records.page(entity, kind=None, after=token, limit=5)
