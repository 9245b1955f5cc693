"""What held when is told from the ledger, what was kept becomes files again, and what was tampered with is found."""

from datetime import timedelta

import pytest

from registry.database import execute
from registry.errors import BadFile, UnknownScheme
from registry.models import SchemeActivation, SchemeProposal
from registry.services import book, scheme_files, scheme_history, seal
from rules.scheme import load_files
from tests.conftest import NOW, TODAY
from tests.registry.proposing import ANNA, BEN, CARL, LATER, activated, heavier, local, proposed, shipped
from tests.registry.sealing import checked, said, sealed


def test_the_history_names_days_contents_and_people(settings):
    first = activated(settings, local(), TODAY)
    twice = activated(settings, local(points=20), LATER)
    last = activated(settings, local(points=30), LATER)
    found = scheme_history.history(settings, "local-look")
    rows = [(one.proposal, one.from_day, one.until, one.superseded) for one in found.activations]
    assert rows == [(last, LATER, None, False), (twice, LATER, None, True), (first, TODAY, LATER, False)]
    newest = found.activations[0]
    assert (newest.proposer, newest.approvers, newest.at) == (ANNA, (BEN, CARL), NOW)
    assert newest.hash == book.in_force(settings, "local-look", on=LATER).hash
    assert [hash_ for hash_, _ in found.kept] == [one.hash for one in reversed(found.activations)]
    assert (found.shipped, found.as_shipped) == (None, False)


def test_the_history_tells_of_the_shipped_content_too(on_sqlite):
    found = scheme_history.history(on_sqlite, "general-risk")
    assert (found.shipped, found.as_shipped) == (book.shipped(on_sqlite)["general-risk"].hash, True)
    assert found.activations == ()
    assert not scheme_history.history(on_sqlite, "combined").as_shipped
    with pytest.raises(UnknownScheme, match="there never was one"):
        scheme_history.history(on_sqlite, "nothing")


def test_a_proposal_is_exported_as_it_was_sent(settings, tmp_path):
    number = proposed(settings, local()).proposal.id
    for text in (str(number), f"proposal:{number}"):
        found = scheme_history.export(settings, text, on=TODAY)
        assert (found.files, found.whole, found.scheme) == (local(), True, "local-look")
    scheme_files.write(found.files, tmp_path / "out")
    assert scheme_files.read(tmp_path / "out") == local()
    with pytest.raises(BadFile, match="is there already and not empty"):
        scheme_files.write(found.files, tmp_path / "out")


def test_what_is_in_force_is_exported_with_its_cases_where_they_are_kept(settings):
    assert scheme_history.export(settings, "general-risk", on=TODAY).files == shipped(settings)
    assert scheme_history.export(settings, "combined", on=TODAY).files == shipped(settings, "combined")
    activated(settings)
    found = scheme_history.export(settings, "general-risk", on=LATER)
    assert (found.files, found.whole) == (heavier(settings), True)
    assert scheme_history.export(settings, "general-risk", on=LATER - timedelta(days=1)).files == shipped(settings)
    # `combined` holds over another content now, and its own files are the same.
    assert scheme_history.export(settings, "combined", on=LATER).files == shipped(settings, "combined")


def test_of_a_content_without_files_the_canonical_content_is_written(settings):
    scheme = load_files(local(), "local", book.numbers())
    book.version_of(scheme)
    found = scheme_history.export(settings, f"local-look@{scheme.hash[:12]}", on=TODAY)
    assert not found.whole
    assert load_files(found.files, "again", book.numbers()).hash == scheme.hash


@pytest.mark.parametrize(
    "name", ["general-risk", "quality-credit-gbt23791", "quality-credit-local", "food-producer", "combined"]
)
def test_every_shipped_scheme_comes_back_from_its_content_with_the_same_hash(on_sqlite, name):
    scheme = book.shipped(on_sqlite)[name]
    files = scheme_files.accepted(scheme_files.as_toml(scheme.content))
    assert load_files(files, name, book.numbers(), scheme.inner).hash == scheme.hash


def test_awkward_texts_come_back_from_a_content(on_sqlite):
    files = local()
    awkward = 'A "quoted" \\\\ back\\u007f\\t，\\u0001 text'.replace('"', '\\"')
    files["scheme.toml"] = files["scheme.toml"].replace("Local scheme", awkward)
    scheme = load_files(files, "local", book.numbers())
    assert load_files(scheme_files.as_toml(scheme.content), "again", book.numbers()).hash == scheme.hash


# --- the tamper check ---


@pytest.fixture
def in_force(settings):
    seal.make_log(settings, now=NOW)
    number = activated(settings, local())
    sealed(settings)
    return number


def test_an_honest_activation_leaves_nothing_to_find(in_force, settings):
    assert checked(settings).findings == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE scheme_activation SET from_day = from_day - 1",
        "UPDATE scheme_activation SET scheme = 'general-risk'",
        "DELETE FROM scheme_activation",
    ],
)
def test_an_activation_that_the_ledger_does_not_say_is_found(in_force, settings, sql):
    seq = SchemeActivation.get().known
    execute(sql)
    ((what, rows, sentence),) = said(settings)
    assert (what, str(seq) in rows) == ("cache", True)
    assert "table of activations says something else" in sentence


def test_an_activation_that_was_made_up_is_found(in_force, settings):
    SchemeActivation.create(
        known=1_000, scheme="general-risk", version=SchemeProposal.get_by_id(in_force).version, from_day=0, proposal=in_force
    )  # fmt: skip
    assert ["1000" in rows for _, rows, _ in said(settings)] == [True]


def test_a_content_that_is_not_what_it_is_called_by_is_found(in_force, settings):
    execute("UPDATE scheme_version SET content = replace(content, '10', '99')")
    ((_, _, sentence),) = said(settings)
    assert "kept content" in sentence
    assert "local-look" in sentence
