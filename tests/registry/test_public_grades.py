"""Which grades the public may see: refused at start unless scheme, setting and local rule agree, and checked again when shown."""

import dataclasses

import pytest

from api.app import create_app
from registry.config import Settings
from registry.database import execute
from registry.errors import ConfigError
from registry.models import SchemeVersion
from registry.services import book, grading, public_grades
from registry.services.entities import Party, match
from rules.scheme import from_content
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered

LOCAL = "quality-credit-local"
BASIS = "信衡市企业质量信用管理办法（示例）第9条"


def showing(settings: Settings, public: str, basis: str = BASIS) -> Settings:
    """Settings under which these schemes grade and are shown."""
    changed = dataclasses.replace(
        settings.grading, public=public, public_basis=basis, as_shipped=f"general-risk, {LOCAL}"
    )
    return dataclasses.replace(settings, grading=changed)


@pytest.fixture
def entity(settings: Settings) -> int:
    """An enterprise graded under the local scheme and the general one."""
    code = credit_code()
    registered(code)
    for name in ("general-risk", LOCAL):
        grading.due(grading.scheme_named(showing(settings, LOCAL), name), day=TODAY)
    found = match([Party(code=code)])[0]
    assert found is not None
    return int(found.id)


@pytest.mark.parametrize(
    ("public", "why"),
    [
        ("general-risk", "'general-risk', which is never published"),
        ("quality-credit-local, combined", "'combined', which is never published"),
        ("food-producer", "'food-producer', which is never published"),
        ("quality-credit-loca", "'quality-credit-loca', and there is no such scheme"),
    ],
)
def test_a_scheme_that_the_public_may_not_see_is_refused_with_what_may_be_written(on_sqlite, public, why):
    with pytest.raises(ConfigError, match=r"^\[grading\] public names ") as refused:
        public_grades.check(showing(on_sqlite, public))
    assert why in str(refused.value)
    assert "Take it out of [grading] public; schemes of the book that a local rule may make public: " in str(
        refused.value
    )
    assert "quality-credit-gbt23791, quality-credit-local." in str(refused.value)


def test_a_scheme_that_contains_a_risk_class_is_refused_whatever_it_says_of_itself(on_sqlite, monkeypatch):
    combined = book.shipped(on_sqlite)["combined"]
    disguised = dataclasses.replace(combined, published="local_rule")
    monkeypatch.setattr(book, "shipped", lambda _: {"combined": disguised})
    with pytest.raises(
        ConfigError, match=r"'combined', which contains '(general-risk|food-producer)', and that is never"
    ):
        public_grades.check(showing(on_sqlite, "combined"))


def test_without_the_local_rule_nothing_is_shown_and_the_server_does_not_start(settings, entity):
    for empty in ("", "  "):
        without = showing(settings, LOCAL, empty)
        with pytest.raises(ConfigError, match=r"\[grading\] public_basis is empty. Write there the local rule"):
            public_grades.check(without)
        assert public_grades.shown(without, [entity]) == []


def test_the_application_does_not_start_with_a_risk_class_in_the_setting(on_sqlite):
    with pytest.raises(ConfigError, match="'general-risk', which is never published"):
        create_app(showing(on_sqlite, "general-risk"), today=lambda: TODAY, now=lambda: NOW)


def test_a_class_that_a_model_may_raise_is_not_shown_to_the_public(on_sqlite, monkeypatch):
    shown = showing(on_sqlite, LOCAL)
    served = dataclasses.replace(shown, model=dataclasses.replace(shown.model, grades=LOCAL))
    with pytest.raises(
        ConfigError, match=r"\[model\] grades names 'quality-credit-local': .*Take .* out of .* use = \"off\""
    ):
        create_app(served, today=lambda: TODAY, now=lambda: NOW)
    public_grades.check(dataclasses.replace(served, model=dataclasses.replace(served.model, use="off")))
    # Nor inside another grade that is shown.
    outer = dataclasses.replace(
        book.shipped(shown)["combined"], published="local_rule", inner={LOCAL: book.shipped(shown)[LOCAL]}
    )
    monkeypatch.setattr(book, "shipped", lambda _: {"combined": outer})
    with pytest.raises(ConfigError, match=r"names 'combined', and \[model\] grades names 'quality-credit-local'"):
        public_grades.check(dataclasses.replace(showing(on_sqlite, "combined"), model=served.model))


def test_by_default_nothing_is_shown_and_nothing_is_asked(settings, entity, count_queries):
    public_grades.check(settings)
    with count_queries() as queries:
        assert public_grades.shown(settings, [entity]) == []
    assert queries == []


def test_title_class_day_and_rule_are_shown_in_two_languages_and_nothing_else(settings, entity):
    (one,) = public_grades.shown(showing(settings, LOCAL), [entity])
    assert one == {
        "scheme": LOCAL,
        "title": {"zh": "地方企业质量信用等级（AAA、AA、A、BBB、BB、B、C、D）",
                  "en": "Local enterprise quality-credit level (AAA, AA, A, BBB, BB, B, C, D)"},
        "class": "BB",
        "day": TODAY.isoformat(),
        "basis": BASIS,
    }  # fmt: skip


def test_a_scheme_that_grades_nobody_yet_shows_nothing(settings, entity):
    assert [
        one["scheme"] for one in public_grades.shown(showing(settings, f"quality-credit-gbt23791,{LOCAL}"), [entity])
    ] == [LOCAL]


def test_a_grade_whose_own_content_is_not_for_the_public_is_held_back_even_if_the_setting_got_through(settings, entity):
    """The setting is checked at start; a content may have been activated since."""
    with_risk = showing(settings, f"general-risk,{LOCAL}")
    assert execute("SELECT count(*) FROM grade_state WHERE scheme = 'general-risk'").fetchone()[0] == 1
    assert [one["scheme"] for one in public_grades.shown(with_risk, [entity])] == [LOCAL]
    shipped = book.shipped(settings)[LOCAL]
    never = from_content(shipped.content.replace('"published":"local_rule"', '"published":"never"'), book.numbers())
    assert (never.id, never.published) == (LOCAL, "never")
    SchemeVersion.update(content=never.content, hash=never.hash).where(SchemeVersion.hash == shipped.hash).execute()
    assert public_grades.shown(with_risk, [entity]) == []
