"""Models on a leash: who may promote what, one champion at a time, and every verb safe to repeat and on record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from peewee import IntegrityError

from registry.clock import day_number
from registry.config import ROOT, load
from registry.database import execute, session
from registry.models import Audit, Model, ModelOpening, ModelReport
from registry.services import book, model_openings, models
from registry.services.life import SameHands
from registry.services.model_openings import TestPeriodOpened, open_period
from registry.services.models import ModelConflict, ModelNotFound, NotEarned
from rules.model.forms import Calibration
from tests.conftest import NOW
from tests.registry.modelling import boosted, judged, kept, scheme_of, scorecard


def off(settings):
    return replace(settings, model=replace(settings.model, use="off"))


def promoted(settings, **given):
    return models.promote(kept(settings, **given).id, settings=settings, by="key:乙", now=NOW)[0]


def verbs():
    return [row.verb for row in Audit.select().where(Audit.verb.startswith("model")).order_by(Audit.id)]


# --- what is stored ------------------------------------------------------------------------------------------------


def test_a_bundle_is_stored_once_under_its_hash_and_read_back_the_same(settings):
    model = kept(settings, evaluated=False)
    again = kept(settings, evaluated=False, by="key:丙")
    assert (again.id, again.trained_by, Model.select().count()) == (model.id, "key:甲", 1)
    assert (model.state, model.gain_low, model.form, model.features) == ("trained", 0, "scorecard", "general-risk")
    assert models.bundle_of(models.get(model.id)).to_json() == model.bundle
    assert models.scheme_of(model).hash == scheme_of(settings).hash
    assert verbs() == ["model.trained"]


def test_a_bundle_that_was_changed_in_the_database_is_refused_not_used(on_sqlite):
    model = kept(on_sqlite)
    bent = replace(scorecard(scheme_of(on_sqlite)), base=500)
    execute("UPDATE model SET bundle = ? WHERE id = ?", (bent.to_json(), model.id))
    with pytest.raises(ModelConflict, match="was changed"):
        models.bundle_of(models.get(model.id))


def test_a_bundle_has_the_line_of_the_newest_report_before_a_quarter_and_stays_what_its_hash_says(settings):
    model = kept(settings)
    assert models.bundle_at(model).calibration == models.bundle_of(model).calibration
    model.metrics = {**model.metrics, "calibration_line": {"slope": 0.9, "intercept": -0.1}}
    model.save()
    assert models.bundle_at(model).calibration == Calibration(0.9, -0.1)
    for quarter, intercept in ((date(2025, 1, 1), 0.2), (date(2025, 4, 1), 0.4)):
        line = {"slope": 1.0, "intercept": intercept}
        ModelReport.create(
            model=model, from_day=day_number(quarter), report={"calibration_line": line}, retires=False, at=NOW
        )
    stood = [models.bundle_at(model, date(2025, month, 1)).calibration.intercept for month in (1, 4, 7)]
    assert (stood, models.bundle_at(model).calibration.intercept) == ([-0.1, 0.2, 0.4], 0.4)
    assert models.bundle_of(model).hash == model.hash


@pytest.mark.parametrize("text", ["{}", "no JSON", "[1]"])
def test_a_bundle_that_is_none_any_more_is_refused_wherever_it_is_read(on_sqlite, text):
    model = kept(on_sqlite)
    execute("UPDATE model SET bundle = ? WHERE id = ?", (text, model.id))
    for read in (models.bundle_of, models.bundle_at, models.scheme_of, models.shown):
        with pytest.raises(ModelConflict, match=r"no bundle any more\. Restore the database, or retire it"):
            read(models.get(model.id))
    with pytest.raises(ModelConflict, match="no bundle any more"):
        models.promote(model.id, settings=on_sqlite, by="key:乙", now=NOW)
    assert models.retire(model.id, why="已损坏", settings=on_sqlite, by="key:乙", now=NOW)[0].state == "retired"


def test_there_is_no_model_that_was_not_trained(on_sqlite):
    with pytest.raises(ModelNotFound, match="xinheng model list"):
        models.get(7)


# --- promotion -----------------------------------------------------------------------------------------------------


def test_another_person_promotes_a_model_that_beats_the_rules(settings):
    model = kept(settings)
    assert models.champion("general-risk", settings) is None
    row, new = models.promote(model.id, settings=settings, by="key:乙", now=NOW)
    assert (row.state, row.decided_by, new) == ("champion", "key:乙", True)
    assert models.champion("general-risk", settings).id == model.id
    assert models.promote(model.id, settings=settings, by="key:乙", now=NOW)[1] is False
    assert verbs() == ["model.trained", "model.promoted"]


def test_who_trained_it_neither_promotes_nor_retires_it(settings):
    model = kept(settings)
    with pytest.raises(SameHands, match="Another person"):
        models.promote(model.id, settings=settings, by="key:甲", now=NOW)
    with pytest.raises(SameHands, match="Another person"):
        models.retire(model.id, why="不用了", settings=settings, by="key:甲", now=NOW)
    assert models.get(model.id).state == "trained"


@pytest.mark.parametrize("gain", [(0, 500), (-200, 300)])
def test_a_model_whose_interval_reaches_zero_is_refused_with_it_and_rules_stay(on_sqlite, gain):
    model = kept(on_sqlite, gain=gain)
    with pytest.raises(NotEarned, match=r"\+?-?0\.00\d\d to \+0\.00\d\d.*Rules stay"):
        models.promote(model.id, settings=on_sqlite, by="key:乙", now=NOW)
    assert models.get(model.id).state == "trained"


def test_a_model_that_was_not_evaluated_is_refused(on_sqlite):
    model = kept(on_sqlite, evaluated=False)
    with pytest.raises(NotEarned, match=f"xinheng model evaluate {model.id}"):
        models.promote(model.id, settings=on_sqlite, by="key:乙", now=NOW)


@pytest.mark.parametrize(("over", "earned"), [((501, 900), True), ((500, 900), False), ((-10, 900), False)])
def test_a_boosted_challenger_is_promoted_only_above_its_scorecard_by_the_margin(on_sqlite, over, earned):
    card = kept(on_sqlite)
    bundle = boosted(scheme_of(on_sqlite))
    trees, _ = models.keep(
        bundle, challenger=True, grades="general-risk", known=1, metrics={"beside": card.hash}, by="key:甲", now=NOW
    )
    judged(trees, (100, 900), over)
    assert (trees.state, trees.form, models.beside(trees).id, models.beside(card).id) == ("challenger", "boosted", card.id, trees.id)  # fmt: skip
    if earned:
        assert models.promote(trees.id, settings=on_sqlite, by="key:乙", now=NOW)[0].state == "champion"
    else:
        with pytest.raises(NotEarned, match=rf"above 0\.00500.*model {card.id}"):
            models.promote(trees.id, settings=on_sqlite, by="key:乙", now=NOW)


def test_a_new_champion_retires_the_one_before(settings):
    first = promoted(settings)
    second = promoted(settings, name="second")
    assert (models.get(first.id).state, models.get(first.id).retired_why) == (
        "retired",
        f"Replaced by model {second.id}.",
    )
    assert models.champion("general-risk", settings).id == second.id
    with pytest.raises(ModelConflict, match="retired 已停用"):
        models.promote(first.id, settings=settings, by="key:乙", now=NOW)
    assert verbs()[-2:] == ["model.retired", "model.promoted"]


def test_the_database_holds_one_champion_for_a_scheme(settings):
    promoted(settings)
    other = kept(settings, name="second")
    with pytest.raises(IntegrityError):
        Model.update(state="champion").where(Model.id == other.id).execute()


def test_two_who_promote_at_once_leave_one_champion(settings):
    numbers = [kept(settings, name=name).id for name in ("one", "two")]

    def promote(number):
        with session():
            return models.promote(number, settings=settings, by="key:乙", now=NOW)[1]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(promote, numbers)) == [True, True]
    assert sorted(row.state for row in Model.select()) == ["champion", "retired"]


# --- shadow, retirement, the switch --------------------------------------------------------------------------------


def test_a_shadow_may_be_promoted_and_a_champion_is_no_shadow(settings):
    model = kept(settings)
    assert models.shadow(model.id, by="key:甲", now=NOW)[1] is True
    assert models.shadow(model.id, by="key:甲", now=NOW)[1] is False
    assert [one.id for one in models.at_work()] == [model.id]
    assert models.champion("general-risk", settings) is None
    models.promote(model.id, settings=settings, by="key:乙", now=NOW)
    with pytest.raises(ModelConflict, match="only one that was trained"):
        models.shadow(model.id, by="key:甲", now=NOW)


def test_a_retired_model_stays_retired_and_says_why(settings):
    model = promoted(settings)
    with pytest.raises(ModelConflict, match="Say why"):
        models.retire(model.id, why=" ", settings=settings, by="key:乙", now=NOW)
    row, new = models.retire(model.id, why="检查口径已变", settings=settings, by="key:乙", now=NOW)
    assert (row.state, row.retired_why, new) == ("retired", "检查口径已变", True)
    assert models.retire(model.id, why="再来一次", settings=settings, by="key:乙", now=NOW)[1] is False
    assert models.get(model.id).retired_why == "检查口径已变"
    assert (models.champion("general-risk", settings), models.at_work()) == (None, [])


def test_switched_off_there_is_no_champion_and_none_is_made(on_sqlite):
    promoted(on_sqlite)
    assert models.champion("general-risk", off(on_sqlite)) is None
    other = kept(on_sqlite, name="second")
    with pytest.raises(ModelConflict, match="switched off"):
        models.promote(other.id, settings=off(on_sqlite), by="key:乙", now=NOW)


def test_pages_of_models_read_no_bundle_and_take_one_query(on_sqlite, count_queries):
    for name in ("one", "two", "three"):
        kept(on_sqlite, name=name)
    with count_queries() as sent:
        found = models.page(limit=2)
    assert len(sent) == 1
    assert "bundle" not in sent[0]
    assert [row.name for row in found.items] == ["three", "two"]
    assert [row.name for row in models.page(limit=2, after=found.next).items] == ["one"]


# --- openings ------------------------------------------------------------------------------------------------------


def opened(model="a" * 64, **given):
    fields = {"model": model, "from_day": 19723, "until_day": 20089, "by": "key:甲", "now": NOW, **given}
    return open_period(fields.pop("target", "ledger"), **fields)


def test_a_release_looks_once_and_every_further_look_needs_a_reason(settings):
    assert (opened().first, opened().id) == (True, 1)
    with pytest.raises(TestPeriodOpened, match="--again WHY"):
        opened("b" * 64)
    again = opened("b" * 64, why="特征口径更正")
    assert (again.first, again.why) == (False, "特征口径更正")
    assert opened("b" * 64, target="toronto:crucial").first is True
    assert [row.first for row in model_openings.page().items] == [True, False, True]
    assert [row.target for row in model_openings.page(target="ledger").items] == ["ledger", "ledger"]


def test_the_same_model_over_the_same_days_is_the_same_look(settings):
    assert opened().id == opened(now=NOW + 1).id
    assert ModelOpening.select().count() == 1
    with pytest.raises(TestPeriodOpened):
        opened(until_day=20090)


def test_two_who_look_first_at_once_make_one_first_look(settings):
    def look(model):
        with session():
            try:
                return opened(model).first
            except TestPeriodOpened:
                return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(map(str, pool.map(look, ["a" * 64, "b" * 64]))) == ["True", "refused"]


def test_who_promotes_is_told_whether_the_figures_rest_on_a_first_look(on_sqlite):
    seen, later = kept(on_sqlite), kept(on_sqlite, name="second")
    opened(seen.hash)
    opened(later.hash, why="特征口径更正")
    assert models.shown(seen)["look"] == {"opening": 1, "first": True, "why": ""}
    assert models.shown(later)["look"] == {"opening": 2, "first": False, "why": "特征口径更正"}
    assert models.look_of(kept(on_sqlite, name="third", evaluated=False)) is None
    models.promote(later.id, settings=on_sqlite, by="key:乙", now=NOW)
    assert Audit.get(Audit.verb == "model.promoted").detail["first_look"] is False


def test_two_trainings_that_end_at_once_store_one_model(settings, monkeypatch):
    """The second one looks before the first has stored it."""
    first = kept(settings)
    monkeypatch.setattr(Model, "get_or_none", lambda *_: None)
    again = kept(settings, by="key:丙")
    assert (again.id, again.trained_by, Model.select().count()) == (first.id, "key:甲", 1)


def test_another_release_may_look_again(on_sqlite, monkeypatch):
    opened()
    monkeypatch.setattr(model_openings, "release", lambda: "9.9.9")
    assert opened("b" * 64).first is True


def test_the_release_is_the_version_of_the_product():
    assert f'version = "{model_openings.release()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_shipped_settings_name_the_schemes():
    model = load(environ={}).model
    assert (model.use, model.scheme, model.grades) == ("on", "inspection-record", "general-risk")
    assert model.grades in book.shipped(load(environ={}))
