"""From a proposal to a scheme in force: what each step asks for, who may take it, and what it leaves on record."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from registry.clock import day_number, day_of
from registry.database import execute
from registry.models import (
    Audit,
    Entity,
    GradeState,
    Record,
    SchemeActivation,
    SchemeApproval,
    SchemeProposal,
    SchemeVersion,
)
from registry.services import book, explanation, governance, grading, scheme_check, scheme_files, scheme_proposals
from registry.services.governance import ComparisonStale, DraftNotConfirmed
from registry.services.scheme_files import BadProposal
from registry.services.scheme_proposals import ProposalConflict, ProposalNotFound
from tests.conftest import NOW, TODAY
from tests.registry.proposing import (
    ANNA,
    BEN,
    CARL,
    DORA,
    LATER,
    REASON,
    activated,
    approved,
    compared,
    district,
    graded,
    heavier,
    local,
    proposed,
    shipped,
)

BEFORE = LATER - timedelta(days=1)


def class_of(entity):
    row = GradeState.get((GradeState.scheme == "general-risk") & (GradeState.entity == entity))
    return row.class_, row.score


# --- the whole path ---


def test_a_changed_parameter_goes_from_a_proposal_to_two_approvals_and_holds_from_its_day(settings):
    good, bad = district(settings)
    old = book.in_force(settings, on=TODAY)
    was = class_of(bad)
    one = proposed(settings)
    assert (one.new, one.proposal.state, one.checked.mistakes, one.checked.failed) == (True, "checked", (), ())
    two = compared(settings, one.proposal.id)
    told = two.proposal.comparison
    assert (two.proposal.state, told["old"], told["day"]) == ("compared", old.hash, LATER.isoformat())
    assert told["result"]["entities"] == 2
    assert told["result"]["worse"] == 1
    assert approved(settings, one.proposal.id, BEN).proposal.state == "compared"
    done = approved(settings, one.proposal.id, CARL)
    assert done.proposal.state == "approved"
    assert [one.by for one in done.approvals] == [BEN, CARL]
    # Not before its day …
    assert book.in_force(settings, on=BEFORE).hash == old.hash
    graded(settings, BEFORE)
    assert class_of(bad) == was
    # … and from its day on.
    new = book.in_force(settings, on=LATER)
    assert new.hash == told["new"] != old.hash
    graded(settings, LATER)
    assert class_of(bad)[1] > was[1]
    assert class_of(good)[0] == "A"


def test_a_past_day_is_explained_by_the_content_that_held_then(settings):
    _, bad = district(settings)
    old = book.in_force(settings, on=TODAY)
    activated(settings)
    graded(settings, LATER)
    new, entity = book.in_force(settings, on=LATER), Entity.get_by_id(bad)
    then = explanation.of(entity, book.in_force(settings, on=TODAY), on=TODAY, today=LATER)
    now = explanation.of(entity, new, on=LATER, today=LATER)
    assert (then.scheme_hash, now.scheme_hash) == (old.hash, new.hash)
    assert (then.reproduced, now.reproduced) == (True, True)
    assert now.explanation.score > then.explanation.score


def test_the_activation_is_one_ledger_step_that_names_content_day_and_people(settings):
    district(settings)
    number = activated(settings)
    row = Record.get(Record.kind == "scheme_activated")
    hash_ = SchemeProposal.get_by_id(number).version.hash
    assert (row.act, row.entity_id, row.about, row.happened_on) == ("step", None, hash_[:32], LATER)
    assert row.detail == {
        "scheme": "general-risk", "hash": hash_, "from_day": LATER.isoformat(), "proposal": number, "proposer": ANNA,
        "approvers": [BEN, CARL],
    }  # fmt: skip
    held = SchemeActivation.get()
    assert (held.known, held.scheme, held.version.hash, held.from_day) == (
        row.seq,
        "general-risk",
        hash_,
        day_number(LATER),
    )
    verbs = [one.verb for one in Audit.select().order_by(Audit.id) if one.verb.startswith("scheme.")]
    assert verbs == ["scheme.proposed", "scheme.compared", "scheme.approved", "scheme.approved", "scheme.activated"]
    assert Audit.get(Audit.verb == "scheme.activated").seq == row.seq


def test_a_day_that_is_today_holds_today(settings):
    district(settings)
    number = activated(settings, from_day=TODAY)
    assert book.in_force(settings, on=TODAY).hash == SchemeProposal.get_by_id(number).version.hash


def test_a_scheme_that_the_book_does_not_have_may_come_into_force(settings):
    _, bad = district(settings)
    number = proposed(settings, local(points=30)).proposal.id
    result = compared(settings, number).proposal.comparison
    assert result["old"] is None
    assert result["result"]["classes"] == {"new": {"A": 1, "B": 1}}
    assert "matrix" not in result["result"]
    for by in (BEN, CARL):
        approved(settings, number, by)
    graded(settings, LATER)
    assert GradeState.get((GradeState.scheme == "local-look") & (GradeState.entity == bad)).class_ == "B"


def test_a_past_content_comes_into_force_again_by_the_same_way(settings):
    district(settings)
    first = book.in_force(settings, on=TODAY)
    activated(settings, from_day=TODAY)
    activated(settings, shipped(settings))
    assert book.in_force(settings, on=LATER).hash == first.hash
    assert book.in_force(settings, on=BEFORE).hash != first.hash


# --- who ---


def test_the_same_person_cannot_approve_twice(on_sqlite):
    number = compared(on_sqlite, proposed(on_sqlite).proposal.id).proposal.id
    assert approved(on_sqlite, number, BEN).new
    again = approved(on_sqlite, number, BEN)
    assert (again.new, again.proposal.state, len(again.approvals)) == (False, "compared", 1)
    assert SchemeActivation.select().count() == 0


def test_who_proposed_it_cannot_approve_it(on_sqlite):
    number = compared(on_sqlite, proposed(on_sqlite).proposal.id).proposal.id
    with pytest.raises(ProposalConflict, match="Two other officers"):
        approved(on_sqlite, number, ANNA)


def test_a_draft_basis_needs_both_to_confirm_it(settings):
    number = proposed(settings, local(rests_on="draft")).proposal.id
    assert compared(settings, number).proposal.drafts
    with pytest.raises(DraftNotConfirmed, match="which is not law"):
        approved(settings, number, BEN)
    approved(settings, number, BEN, confirms_draft=True)
    with pytest.raises(DraftNotConfirmed):
        approved(settings, number, CARL)
    assert approved(settings, number, CARL, confirms_draft=True).proposal.state == "approved"
    assert [one.confirms_draft for one in SchemeApproval.select()] == [True, True]


def test_its_proposer_withdraws_it_and_anybody_else_refuses_it(on_sqlite):
    mine, theirs = (proposed(on_sqlite, local(id_)).proposal.id for id_ in ("one", "two"))
    with pytest.raises(ProposalConflict, match="its proposer withdraws it"):
        governance.withdraw(mine, why="误", by=BEN, now=NOW)
    with pytest.raises(ProposalConflict, match="anybody else refuses it"):
        governance.refuse(theirs, why="误", by=ANNA, now=NOW)
    with pytest.raises(BadProposal, match="Give a reason"):
        governance.withdraw(mine, why="  ", by=ANNA, now=NOW)
    assert governance.withdraw(mine, why="参数需重新测算。", by=ANNA, now=NOW).proposal.state == "withdrawn"
    assert not governance.withdraw(mine, why="参数需重新测算。", by=ANNA, now=NOW).new
    said = governance.refuse(theirs, why="依据不足。", by=BEN, now=NOW).proposal
    assert (said.state, said.closed_by, said.closed_why) == ("refused", BEN, "依据不足。")
    with pytest.raises(ProposalConflict, match="It is over"):
        compared(on_sqlite, theirs)
    with pytest.raises(ProposalConflict, match="It is over"):
        approved(on_sqlite, mine, BEN)


def test_only_who_proposed_it_revises_it(on_sqlite):
    number = proposed(on_sqlite, local()).proposal.id
    with pytest.raises(ProposalConflict, match="Propose your own content"):
        governance.revise(on_sqlite, number, files=local(points=20), by=BEN, today=TODAY, now=NOW)


# --- what is asked for before each step ---


def test_mistakes_and_failed_cases_are_all_told_and_keep_it_a_draft(on_sqlite):
    files = local() | {"rules/penalty.toml": local()["rules/penalty.toml"].replace("penalties >= 1", "penalties >> 1")}
    said = proposed(on_sqlite, files)
    assert (said.proposal.state, said.proposal.version) == ("draft", None)
    assert [(one.file, one.key) for one in said.checked.mistakes] == [
        ("local-look/rules/penalty.toml", "rule.penalised.when")
    ]
    wrong = local() | {"rules/penalty.cases.toml": local(points=11)["rules/penalty.cases.toml"]}
    failed = governance.revise(on_sqlite, said.proposal.id, files=wrong, by=ANNA, today=TODAY, now=NOW)
    assert failed.proposal.state == "draft"
    assert "expected hit with 22 points, but it is hit with 20 points" in failed.checked.failed[0]
    with pytest.raises(ProposalConflict, match="Mend what its check found"):
        compared(on_sqlite, said.proposal.id)
    with pytest.raises(ProposalConflict, match="Mend what its check found"):
        approved(on_sqlite, said.proposal.id, BEN)
    mended = governance.revise(on_sqlite, said.proposal.id, files=local(), by=ANNA, today=TODAY, now=NOW)
    assert mended.proposal.state == "checked"


def test_it_is_approved_only_after_it_was_compared(on_sqlite):
    number = proposed(on_sqlite, local()).proposal.id
    with pytest.raises(ProposalConflict, match="Compare it with what holds"):
        approved(on_sqlite, number, BEN)


def test_another_content_drops_comparison_and_approvals(settings):
    number = compared(settings, proposed(settings, local()).proposal.id).proposal.id
    approved(settings, number, BEN)
    same = governance.revise(settings, number, files=local(), by=ANNA, today=TODAY, now=NOW)
    assert (same.new, same.proposal.state, len(same.approvals)) == (False, "compared", 1)
    other = governance.revise(settings, number, files=local(points=20), by=ANNA, today=TODAY, now=NOW)
    assert (other.proposal.state, other.proposal.comparison, other.approvals) == ("checked", None, [])
    with pytest.raises(ProposalConflict, match="Compare it"):
        approved(settings, number, CARL)


def test_what_an_officer_has_not_read_he_does_not_approve(on_sqlite):
    number = compared(on_sqlite, proposed(on_sqlite, local()).proposal.id).proposal.id
    read = SchemeProposal.get_by_id(number).version.hash
    governance.revise(on_sqlite, number, files=local(points=20), by=ANNA, today=TODAY, now=NOW)
    compared(on_sqlite, number)
    with pytest.raises(ComparisonStale, match="Read it again"):
        approved(on_sqlite, number, BEN, content=read)
    assert approved(on_sqlite, number, BEN, content=SchemeProposal.get_by_id(number).version.hash[:12]).new


def test_a_comparison_with_what_holds_no_more_is_stale(settings):
    first, second = proposed(settings, local()).proposal.id, proposed(settings, local(points=20)).proposal.id
    for number in (first, second):
        compared(settings, number)
    approved(settings, second, BEN)
    for by in (BEN, CARL):
        approved(settings, first, by)
    with pytest.raises(ComparisonStale, match="another content has been activated since"):
        approved(settings, second, CARL)
    assert compared(settings, second).approvals == []
    for by in (BEN, CARL):
        approved(settings, second, by)
    assert book.in_force(settings, "local-look", on=LATER).hash == SchemeProposal.get_by_id(second).version.hash


def test_a_comparison_over_an_inner_scheme_that_has_changed_is_stale(settings):
    district(settings)
    files = shipped(settings, "combined")
    files["scheme.toml"] = files["scheme.toml"].replace("通用型与专业型综合分类", "综合分类", 1)
    outer = compared(settings, proposed(settings, files).proposal.id)
    inner = activated(settings)
    with pytest.raises(ComparisonStale, match="built on other schemes"):
        approved(settings, outer.proposal.id, BEN)
    again = compared(settings, outer.proposal.id).proposal
    assert again.comparison["new"] != outer.proposal.comparison["new"]
    for by in (BEN, CARL):
        approved(settings, outer.proposal.id, by)
    held = book.in_force(settings, "combined", on=LATER)
    assert held.hash == again.comparison["new"]
    assert held.inner["general-risk"].hash == SchemeProposal.get_by_id(inner).version.hash


def test_what_was_revised_while_it_was_compared_is_not_kept(on_sqlite, monkeypatch):
    number = proposed(on_sqlite, local()).proposal.id
    compare = governance.whatif.compare

    def meanwhile(*args, **given):
        governance.revise(on_sqlite, number, files=local(points=20), by=ANNA, today=TODAY, now=NOW)
        return compare(*args, **given)

    monkeypatch.setattr(governance.whatif, "compare", meanwhile)
    with pytest.raises(ComparisonStale, match="revised while it was compared"):
        compared(on_sqlite, number)
    assert SchemeProposal.get_by_id(number).comparison is None


def test_a_day_that_has_passed_must_be_named_anew(settings):
    number = compared(settings, proposed(settings, local()).proposal.id).proposal.id
    approved(settings, number, BEN)
    after = LATER + timedelta(days=1)
    with pytest.raises(ProposalConflict, match=f"revise {number} --from DATE"):
        approved(settings, number, CARL, today=after)
    assert SchemeActivation.select().count() == 0
    moved = governance.revise(settings, number, from_day=after, by=ANNA, today=after, now=NOW)
    assert (day_of(moved.proposal.from_day), moved.proposal.state, moved.approvals) == (after, "checked", [])
    compared(settings, number, today=after)
    for by in (BEN, CARL):
        approved(settings, number, by, today=after)
    assert book.in_force(settings, "local-look", on=after).id == "local-look"


def test_a_decided_proposal_stays_as_it_is(settings):
    number = activated(settings, local())
    assert not approved(settings, number, CARL).new
    for verb in (
        lambda: approved(settings, number, DORA),
        lambda: compared(settings, number),
        lambda: governance.withdraw(number, why="误", by=ANNA, now=NOW),
        lambda: governance.refuse(number, why="误", by=BEN, now=NOW),
        lambda: governance.revise(settings, number, reason="别的", by=ANNA, today=TODAY, now=NOW),
    ):
        with pytest.raises(ProposalConflict, match="It is decided"):
            verb()
    assert SchemeActivation.select().count() == 1


def test_a_repeated_proposal_is_one_proposal(settings):
    first = proposed(settings, local())
    again = proposed(settings, local())
    assert (again.new, again.proposal.id) == (False, first.proposal.id)
    assert proposed(settings, local(), reason="另一理由").proposal.id != first.proposal.id
    assert proposed(settings, local(), by=BEN).proposal.id != first.proposal.id
    governance.withdraw(first.proposal.id, why="误", by=ANNA, now=NOW)
    assert proposed(settings, local()).new


def test_a_repeated_comparison_changes_nothing(settings):
    number = proposed(settings, local()).proposal.id
    assert compared(settings, number).new
    approved(settings, number, BEN)
    again = compared(settings, number, by=DORA)
    assert (again.new, len(again.approvals), again.proposal.compared_by) == (False, 1, ANNA)


# --- what cannot be a proposal ---


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "1 to 60 files"),
        ({f"rules/{number}.toml": "" for number in range(61)}, "1 to 60 files, and 61"),
        ({"../scheme.toml": ""}, "No part of a scheme is called"),
        ({"rules/sub/x.toml": ""}, "No part of a scheme is called"),
        ({"rules/X.toml": ""}, "No part of a scheme is called"),
        ({"notes.md": ""}, "No part of a scheme is called"),
        ({"scheme.toml": "x" * 200_001}, "At most|at most 200,000: split it"),
        ({"scheme.toml": "\x00"}, "NUL byte"),
        ({"scheme.toml": "\ud800"}, "half a character"),
        ({f"rules/{number}.toml": "x" * 190_000 for number in range(11)}, "at most 2,000,000"),
    ],
)  # fmt: skip
def test_files_that_no_scheme_has_are_refused(on_sqlite, files, said):
    with pytest.raises(BadProposal, match=said):
        governance.propose(on_sqlite, files=files, reason=REASON, from_day=LATER, by=ANNA, today=TODAY, now=NOW)
    assert SchemeProposal.select().count() == 0


@pytest.mark.parametrize("id_", ["shadow-7", "shadow-", "a:b", "UPPER", "x" * 33, "../x"])
def test_ids_that_mean_something_else_are_refused(on_sqlite, id_):
    with pytest.raises(BadProposal, match="cannot have the id"):
        proposed(on_sqlite, local(id_))


def test_a_proposal_needs_a_reason_and_a_day_that_can_be_graded(on_sqlite):
    with pytest.raises(BadProposal, match="Give a reason"):
        proposed(on_sqlite, local(), reason=" ")
    with pytest.raises(BadProposal, match="Name today or a later day"):
        proposed(on_sqlite, local(), from_day=TODAY - timedelta(days=1))
    with pytest.raises(BadProposal, match="Name an earlier day"):
        proposed(on_sqlite, local(), from_day=TODAY.replace(year=2101))


def test_a_proposal_stays_about_one_scheme(on_sqlite):
    number = proposed(on_sqlite, local()).proposal.id
    with pytest.raises(BadProposal, match="is about local-look, and these files are of other-one"):
        governance.revise(on_sqlite, number, files=local("other-one"), by=ANNA, today=TODAY, now=NOW)


def test_a_scheme_that_would_read_its_own_grade_by_way_of_another_is_a_mistake(on_sqlite):
    files = heavier(on_sqlite)
    files["indicators/own.toml"] = (
        '[indicator.own]\nsecond = "penalty"\ntitle = { zh = "自身", en = "Own" }\nunit = "step"\nmeasure = "grade"\n'
        'scheme = "combined"\nof = "class"\n'
    )
    said = proposed(on_sqlite, files)
    (mistake,) = [one for one in said.checked.mistakes if one.key == "indicator.own.scheme"]
    assert (said.proposal.state, mistake.remedy) == ("draft", "Let no scheme read its own grade")


def test_a_number_that_names_no_proposal_says_where_they_are(on_sqlite):
    with pytest.raises(ProposalNotFound, match="xinheng scheme proposals"):
        approved(on_sqlite, 99, BEN)


def test_a_checked_content_is_kept_by_its_hash_and_a_draft_is_not(settings):
    number = proposed(settings, local()).proposal.id
    assert SchemeVersion.select().count() == 1
    assert book.resolve(settings, f"proposal:{number}", on=LATER).hash == SchemeProposal.get_by_id(number).version.hash
    proposed(settings, local() | {"scheme.toml": "["})
    assert SchemeVersion.select().count() == 1
    assert execute("SELECT count(*) FROM grade").fetchone()[0] == 0


def test_the_check_is_that_of_the_command(on_sqlite):
    """A rule without a case is a mistake here as it is for `xinheng scheme check`."""
    files = {path: text for path, text in heavier(on_sqlite).items() if path != "rules/penalty.cases.toml"}
    said = proposed(on_sqlite, files)
    assert any("has no worked case" in one.problem for one in said.checked.mistakes)
    assert scheme_files.accepted(files) == said.proposal.files
    assert grading.scheme_named(on_sqlite).hash == book.shipped(on_sqlite)["general-risk"].hash


WORDS = st.sampled_from(
    [
        "[",
        "]",
        '"',
        "=",
        "{",
        "}",
        "'''",
        "\\",
        "#",
        "1",
        "-",
        "true",
        "from",
        "[[",
        "scheme",
        "\n",
        "\u202e",
        "é",
        "",
        "nan",
    ]
)


def test_who_proposes_for_a_day_before_another_decided_one_is_told_what_will_replace_it(settings):
    number = activated(settings, local(points=20), from_day=LATER + timedelta(days=30))
    before = proposed(settings, local(points=15), from_day=LATER).proposal
    after = proposed(settings, local(points=15), from_day=LATER + timedelta(days=60)).proposal
    assert f"Mind: proposal {number} is decided from" in scheme_proposals.next_step(before)
    assert "Mind:" not in scheme_proposals.next_step(after)


@settings_of_hypothesis(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_files_say_every_mistake_is_told_and_nothing_breaks(on_sqlite, data):
    files = dict(local())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(files)))
        text = files[path]
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        files[path] = text[:start] + data.draw(WORDS) + text[end:]
    try:
        found = scheme_check.check(on_sqlite, scheme_files.accepted(files), LATER)
    except BadProposal:
        return
    assert found.in_order or found.mistakes or found.failed
    assert all(one.file and one.key and one.problem and one.remedy for one in found.mistakes)
