"""Raises by one class: how they move the score, what they never do, when they hold, and what the explanation says of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rules.dated import Dated, to_date
from rules.engine import grade
from rules.errors import SchemeError
from rules.explain import explain
from rules.given import Given
from rules.printed import printed
from rules.scheme import from_content, load_files
from rules.ways import ways
from tests.rules import crowd
from tests.rules.beside import OVER, override, overrides, raised, raises, upside_down
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, TOY, fact, facts, penalty, population

REGISTERED = fact("registration", DAY - 20, code=9999, amount=10**9, seq=1)
UPWARD = upside_down(SCHEME)
FOREVER = (DAY - 5, DAY + 500)
MANY = [penalty(seq=8 + number, amount=10**9) for number in range(6)]
CLASSES = SCHEME.classes


def told(*rows, held=(), set_by=(), day=DAY, scheme=SCHEME):
    beside = Given(raises=raises(*held), overrides=overrides(*set_by))
    return explain(population((1, day)), facts(REGISTERED, *rows), EVERYWHERE, scheme, beside)[0]


def outcome(*rows, **more):
    found = told(*rows, **more)
    return found.score, found.class_, found.decided_by


def test_a_raise_moves_the_score_to_where_the_next_worse_class_begins():
    assert outcome(penalty()) == (44, "B", None)
    assert outcome(penalty(), held=[raised(*FOREVER, seq=70)]) == (51, "C", "raise:70")


def test_where_high_is_good_it_moves_down_to_the_best_score_of_the_worse_class():
    assert outcome(scheme=UPWARD) == (90, "A", None)
    assert outcome(scheme=UPWARD, held=[raised(*FOREVER, seq=70)]) == (75, "B", "raise:70")


def test_two_in_force_raise_by_one_class_and_the_newest_is_named():
    held = [raised(*FOREVER, seq=70), raised(*FOREVER, seq=71)]
    for order in (held, held[::-1]):
        assert outcome(penalty(), held=order) == (51, "C", "raise:71")


def test_a_veto_is_never_raised_against():
    listed = fact("serious_listing", DAY)
    assert told(listed, held=[raised(*FOREVER, seq=70)]).digest == told(listed).digest


def test_a_class_that_persons_have_set_is_not_raised():
    set_by = [override("B", *FOREVER, seq=60)]
    alone, both = (told(penalty(seq=8), set_by=set_by, held=held) for held in ([], [raised(*FOREVER, seq=70)]))
    assert (both.digest, both.decided_by) == (alone.digest, "override:60")


def test_the_worst_class_stays_what_it_is():
    spans = [replace(span, value=replace(span.value, highest=(25, 50, 60, 100))) for span in SCHEME.cuts.spans]
    lower = replace(SCHEME, cuts=Dated.of(spans), _compiled={})
    plain, moved = (told(*MANY, scheme=lower, held=held) for held in ([], [raised(*FOREVER, seq=70)]))
    assert (plain.class_, moved.digest) == ("D", plain.digest)


def test_raises_of_another_entity_or_scheme_move_nothing():
    others = [raised(*FOREVER, seq=70, entity=2), raised(*FOREVER, seq=71, scheme="general-risk")]
    assert told(held=others).digest == told().digest


@pytest.mark.parametrize(("day", "class_"), [(DAY - 1, "A"), (DAY, "B"), (DAY + 9, "B"), (DAY + 10, "A")])
def test_it_holds_from_its_first_day_to_the_day_before_its_end(day, class_):
    assert outcome(day=day, held=[raised(DAY, DAY + 10, seq=70)])[1] == class_


def test_its_first_day_and_its_end_are_breakpoints():
    held = [raised(DAY + 3, DAY + 8, seq=70)]
    assert (to_date(DAY + 3).isoformat(), "raise: begins") in told(held=held).breakpoints
    assert (to_date(DAY + 8).isoformat(), "raise: ends") in told(held=held, day=DAY + 3).breakpoints
    assert not [cause for _, cause in told(held=held, day=DAY + 8).breakpoints if cause.startswith("raise")]


def test_the_row_names_the_ledger_number_and_adds_up():
    found = told(penalty(), held=[raised(*FOREVER, seq=70)])
    row = found.points[-1]
    assert (row.rule, row.points, row.records) == ("raise:70", 7, (70,))
    assert row.title["zh"] == "风险模型上调一级"
    assert sum(line.points for line in found.points) == found.score == 51
    assert 70 in found.records


def test_while_it_holds_points_are_counted_to_the_classes_of_the_rules():
    plain, moved = told(penalty()), told(penalty(), held=[raised(*FOREVER, seq=70)])
    assert (moved.better, moved.worse) == (plain.better, plain.worse)
    assert moved.notes[0]["en"].startswith("The class of the rules is raised by one")


def test_one_step_below_the_worst_class_no_points_make_a_raised_class_worse():
    plain, moved = told(*MANY), told(*MANY, held=[raised(*FOREVER, seq=70)])
    assert (plain.class_, moved.class_, moved.worse, moved.better) == ("C", "D", None, plain.better)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 400), st.sampled_from(["toy", "high is good"]))
def test_a_raise_moves_by_exactly_one_class_never_for_the_better_and_never_against_veto_or_person(seed, size, which):
    scheme = {"toy": SCHEME, "high is good": UPWARD}[which]
    asked = crowd.population(60, crowd.days(np.random.default_rng(seed), 2, crowd.FIRST))
    held, fed = crowd.facts(seed, 60, size), crowd.coverage(seed)
    beside = crowd.context(seed, 60, crowd.held(seed, 60, 40))
    everyone = raises(*(raised(crowd.FIRST - 900, crowd.LAST + 900, seq=90 + one, entity=one) for one in range(1, 61)))
    none = grade(asked, held, fed, scheme, replace(beside, raises=beside.raises.clear())).to_dicts()
    all_ = grade(asked, held, fed, scheme, replace(beside, raises=everyone)).to_dicts()
    for before, after in zip(none, all_, strict=True):
        was, now = CLASSES.index(before["class"]), CLASSES.index(after["class"])
        held_fast = (before["decided_by"] or "").startswith(("veto:", "override:")) or was == len(CLASSES) - 1
        assert now - was == (0 if held_fast else 1)
        assert (after["digest"] == before["digest"]) == held_fast


def test_waiting_alone_leads_to_the_better_class_on_the_day_on_which_the_raise_ends():
    asked, held = population((1, DAY)), facts(REGISTERED, fact("annual_report", DAY - 30, code=2023))
    beside = Given(raises=raises(raised(DAY - 5, DAY + 3, seq=70)))
    found = ways(asked, held, EVERYWHERE, SCHEME, beside, horizon=30)
    assert (found.class_, found.waiting.on, found.waiting.class_) == ("B", DAY + 3, "A")


def test_a_scheme_that_reads_the_class_of_another_reads_it_raised():
    asked, held = population((1, DAY)), facts(REGISTERED, penalty())
    plain = grade(asked, held, EVERYWHERE, OVER)["digest"][0]
    moved = grade(asked, held, EVERYWHERE, OVER, Given(raises=raises(raised(*FOREVER, seq=70))))["digest"][0]
    assert moved != plain


def text_of(line):
    files = {path.relative_to(TOY).as_posix(): path.read_text("utf-8") for path in TOY.rglob("*.toml")}
    return {**files, "scheme.toml": files["scheme.toml"].replace("[scheme]\n", f"[scheme]\n{line}\n", 1)}


def test_the_content_says_who_lets_raises_count_only_where_the_scheme_does():
    assert SCHEME.raises == "officer"
    assert '"raises"' not in SCHEME.content
    stated = load_files(text_of('raises = "automatic"'), "toy")
    assert stated.hash != SCHEME.hash
    again = from_content(stated.content)
    assert (again.raises, again.hash) == ("automatic", stated.hash)
    lines = {lang: list(printed(stated, to_date(DAY), lang)) for lang in ("zh", "en")}
    assert "模型建议上调一级：自动生效" in lines["zh"]
    assert any("without an officer" in line for line in lines["en"])


def test_another_word_for_it_is_refused_with_those_that_there_are():
    with pytest.raises(SchemeError, match=r"scheme.raises.*officer.*automatic"):
        load_files(text_of('raises = "always"'), "toy")
