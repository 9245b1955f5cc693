"""Which content of a scheme holds: the book until officers activate another, and every past one can be used again."""

import dataclasses
from datetime import date, timedelta

import pytest

from registry.errors import UnknownScheme
from registry.kinds import Statement
from registry.models import SchemeProposal
from registry.services import book, grading, ledger
from registry.services.book import DraftBySetting
from rules.scheme import load, load_files
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry import worlds
from tests.registry.proposing import local, proposed
from tests.registry.test_grading import copy_of

LATER = TODAY + timedelta(days=10)


@pytest.fixture
def other(settings, tmp_path):
    """Another content of the shipped scheme."""
    return load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path), book.numbers())


def held(settings, on, name=None, known=None):
    return book.in_force(settings, name, on=on, known=known).hash


def test_until_officers_activate_a_content_that_of_the_book_holds(settings):
    assert held(settings, TODAY) == book.shipped(settings)["general-risk"].hash


def test_an_activated_content_holds_from_its_day_and_not_before(settings, other):
    worlds.activate(other, LATER)
    assert held(settings, LATER - timedelta(days=1)) == book.shipped(settings)["general-risk"].hash
    assert held(settings, LATER) == other.hash
    assert held(settings, LATER + timedelta(days=4000)) == other.hash


def test_what_was_activated_later_than_a_moment_was_not_known_then(settings, other):
    before = ledger.head()
    worlds.activate(other, LATER)
    assert held(settings, LATER, known=before) == book.shipped(settings)["general-risk"].hash


def test_a_scheme_over_others_is_over_those_that_hold(settings, other):
    shipped = book.shipped(settings)["combined"]
    worlds.activate(other, LATER)
    assert held(settings, TODAY, "combined") == shipped.hash
    rebased = book.in_force(settings, "combined", on=LATER)
    assert rebased.hash != shipped.hash
    assert rebased.inner["general-risk"].hash == other.hash


def test_a_past_content_can_be_used_again_over_what_it_was_over(settings, other):
    worlds.activate(other, LATER)
    rebased = book.in_force(settings, "combined", on=LATER)
    number = book.version_of(rebased)
    again = book.scheme_of_version(number)
    assert (again.hash, again.inner["general-risk"].hash) == (rebased.hash, other.hash)
    assert book.version_of(again) == number


def test_a_scheme_can_be_named_in_five_ways(settings, other, tmp_path):
    shipped = book.shipped(settings)["general-risk"]
    worlds.activate(other, TODAY)

    def named(text, **more):
        return book.resolve(settings, text, on=TODAY, **more).hash

    assert named("general-risk") == other.hash
    assert named("book:general-risk") == shipped.hash
    assert named(f"general-risk@{other.hash[:10]}") == other.hash
    assert named(f"proposal:{SchemeProposal.get().id}") == other.hash
    assert named(str(tmp_path / "general-risk"), folders=True) == other.hash
    with pytest.raises(UnknownScheme, match="There is no scheme"):
        named(str(tmp_path / "general-risk"))
    for wrong in ("book:none", "general-risk@ffff", "proposal:99", "shadow-x", "shadow-99", "none"):
        with pytest.raises(UnknownScheme):
            named(wrong)


def test_a_proposal_in_the_shadow_grades_without_history_and_without_effect(settings, other):
    entity = registered()
    record(entity)
    version = book.version_of(other)
    proposal = SchemeProposal.create(
        scheme=other.id, version=version, files={}, reason="a test", from_day=0, state="checked", shadow=True,
        proposed_by="a", proposed_at=0,
    )  # fmt: skip
    name = f"shadow-{proposal.id}"
    assert name in grading.schemes(settings)
    grading.due(grading.scheme_named(settings, on=TODAY), day=TODAY, now=lambda: NOW)
    history = worlds.state_of(grading.scheme_named(settings))
    shadow = grading.scheme_named(settings, name, TODAY)
    assert grading.due(shadow, day=TODAY, now=lambda: NOW).entities == 1
    assert worlds.state_of(grading.scheme_named(settings)) == history
    assert list(worlds.state_of(shadow)) == [entity]
    rows = worlds.database.execute("SELECT count(*) FROM grade WHERE version_id = ?", (version,)).fetchone()
    assert rows == (0,)


def test_a_scheme_of_the_book_grades_as_shipped_only_where_the_setting_names_it(settings):
    assert grading.schemes(settings) == ["general-risk"]
    also = dataclasses.replace(settings.grading, as_shipped="general-risk, combined")
    assert grading.schemes(dataclasses.replace(settings, grading=also)) == ["general-risk", "combined"]
    wrong = dataclasses.replace(settings.grading, as_shipped="generel-risk")
    with pytest.raises(UnknownScheme, match="as_shipped names 'generel-risk'"):
        grading.schemes(dataclasses.replace(settings, grading=wrong))


@pytest.mark.parametrize("setting", ["scheme", "as_shipped"])
def test_no_setting_lets_a_scheme_hold_that_rests_on_a_draft(on_sqlite, setting):
    draft = "food-producer-draft-2022"
    drafted = dataclasses.replace(on_sqlite, grading=dataclasses.replace(on_sqlite.grading, **{setting: draft}))
    with pytest.raises(
        DraftBySetting, match=rf"\[grading\] {setting} names '{draft}'.*`xinheng scheme propose FOLDER`"
    ):
        grading.schemes(drafted)


def test_a_setting_may_name_a_draft_that_officers_have_activated(on_sqlite):
    draft = book.shipped(on_sqlite)["food-producer-draft-2022"]
    worlds.activate(draft, TODAY)
    named = dataclasses.replace(on_sqlite, grading=dataclasses.replace(on_sqlite.grading, scheme=draft.id))
    assert grading.schemes(named, TODAY) == [draft.id]
    with pytest.raises(DraftBySetting):
        grading.schemes(named, TODAY - timedelta(days=1))


def test_a_trial_is_graded_as_of_the_first_day_of_its_proposal_while_that_is_to_come(on_sqlite):
    first = TODAY + timedelta(days=10)
    number = proposed(on_sqlite, local(), from_day=first).proposal.id
    days = [book.graded_as_of(f"shadow-{number}", on) for on in (TODAY, first, first + timedelta(days=1))]
    assert days == [first, first, first + timedelta(days=1)]
    for name in (None, "general-risk", "shadow-x", "shadow-99"):
        assert book.graded_as_of(name, TODAY) == TODAY


def test_a_scheme_with_members_grades_them_alone_and_lets_go_of_who_is_none_any_more(settings):
    holder, nobody = registered(), registered()
    said = Statement(
        "licence", 1, 0, 0, date(2024, 1, 1), date(2029, 1, 1), "许1号", "信衡市市场监督管理局", ("licence", "document", "许1号"), {}
    )  # fmt: skip
    with ledger.writing(now=NOW, schemes=["food-producer"]) as pen:
        (licence,) = pen.state([(holder, said)], source="x")
    scheme = book.in_force(settings, "food-producer", on=TODAY)
    assert grading.due(scheme, day=TODAY, now=lambda: NOW).entities == 1
    assert list(worlds.state_of(scheme)) == [holder]
    assert nobody not in worlds.state_of(scheme)
    with ledger.writing(now=NOW, schemes=["food-producer"]) as pen:
        pen.withdraw(licence.seq, source="x", reason="撤销")
    grading.due(scheme, day=TODAY, now=lambda: NOW)
    assert worlds.state_of(scheme) == {}
    assert grading.due(scheme, day=TODAY, now=lambda: NOW).entities == 0


def test_a_content_that_holds_again_grades_who_the_one_between_did_not(settings):
    wide, narrow = local(), local(points=20)
    wide["scheme.toml"] = wide["scheme.toml"].replace('["enterprise"]', '["enterprise", "individual"]')
    first, second = (load_files(files, "local-look", book.numbers()) for files in (wide, narrow))
    entities = [registered(), registered(subject="individual")]
    for scheme, day in ((first, 0), (second, 1), (first, 2)):
        on = TODAY + timedelta(days=day)
        worlds.activate(scheme, on)
        held = book.in_force(settings, "local-look", on=on)
        grading.due(held, day=on, now=lambda: NOW)
        assert worlds.state_of(held) == worlds.from_scratch(held, on)[0]
        assert list(worlds.state_of(held)) == (entities if scheme is first else entities[:1])
