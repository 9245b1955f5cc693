"""Reading a scheme: one broken file per kind of mistake, each with its whole message, and the hash of the content."""

import shutil

import pytest

from rules.errors import SchemeError
from rules.scheme import load, load_book
from tests.rules.frames import SCHEME, TOY

POINTS, HOLDS, RECORDS = "rules/points.toml", "rules/holds.toml", "indicators/records.toml"
CUTS = '{ class = "A", to = 20 }, { class = "B", to = 50 }'


@pytest.fixture
def toy(tmp_path):
    return shutil.copytree(TOY, tmp_path / "toy")


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"the toy scheme no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


MISTAKES = {
    "unknown key": (
        POINTS, 'when   = "penalties >= at_least"', 'when   = "penalties >= at_least"\nwenn = "x"',
        "toy/rules/points.toml: rule.penalised.wenn: is an unknown key. Known here: basis, effect, parameter, points, "
        "reason, second, subjects, title, when (did you mean 'when'?).",
    ),
    "unknown indicator": (
        POINTS, "penalties >= at_least", "penaltys >= at_least",
        "toy/rules/points.toml: rule.penalised.when: unknown name 'penaltys'. Write 'penalties' if that is meant, else "
        "declare 'penaltys' as an indicator or a parameter.",
    ),
    "condition of another form": (
        POINTS, "fines > 1000 or", "sum(fines) > 1000 or",
        "toy/rules/points.toml: rule.fined.when: 'sum' is used like a function. Use and, or, not, = <> < <= > >=, "
        "between, in (…), is null and is not null.",
    ),
    "points of another form": (
        POINTS, "5 * load", "5 / load",
        "toy/rules/points.toml: rule.fined.points: the character '/' (U+002F) has no place in a points expression. Use "
        "lower-case ASCII names, integers and the signs of docs/schemes.md.",
    ),
    "filter of another form": (
        RECORDS, 'where   = "severity >= 2"', 'where   = "organ = 2"',
        "toy/indicators/records.toml: indicator.penalties.where: unknown name 'organ'. Declare it as an indicator or as "
        "a parameter of the rule, or correct the spelling.",
    ),
    "missing basis": (
        POINTS, 'basis = { instrument = "Invented", kind = "product_default" }', "",
        "toy/rules/points.toml: rule.penalised.parameter.at_least.basis: is missing. Write basis = { instrument = "
        '"…", article = "…", kind = "…" }, and never invent one.',
    ),
    "rule without parameter or basis": (
        HOLDS, '"On the serious-violation list" }\nbasis  = { instrument = "Invented", kind = "product_default" }',
        '"On the serious-violation list" }',
        "toy/rules/holds.toml: rule.on_serious_list.basis: is missing. Without parameters the rule itself says what it "
        "rests on: basis = { … }.",
    ),
    "bad basis kind": (
        POINTS, 'kind = "local_example"', 'kind = "law"',
        "toy/rules/points.toml: rule.penalised.parameter.each.basis.kind: is 'law', which is not known. Use one of "
        "statute, normative_document, standard, local_example, draft, product_default.",
    ),
    "gap in time": (
        POINTS, "until    = 2024-05-01", "until    = 2024-04-01",
        "toy/rules/points.toml: rule.penalised.parameter.each: gap: no value holds from 2024-04-01 until 2024-05-01. "
        "Write until = 2024-05-01 in the earlier value, or add a value for the days between.",
    ),
    "overlap in time": (
        POINTS, "until    = 2024-05-01", "until    = 2024-06-01",
        "toy/rules/points.toml: rule.penalised.parameter.each: overlap: the value from 2023-01-01 holds until "
        "2024-06-01, but another begins on 2024-05-01. Write until = 2024-05-01 in the earlier value.",
    ),
    "end that is implied": (
        POINTS, "until    = 2024-05-01\n", "",
        "toy/rules/points.toml: rule.penalised.parameter.each: overlap: the value from 2023-01-01 has no `until`, but "
        "another begins on 2024-05-01. Write until = 2024-05-01 in the earlier value.",
    ),
    "end before the beginning": (
        "scheme.toml", "until = 2025-03-01\nedges", "until = 2022-03-01\nedges",
        "toy/scheme.toml: steps.decay.values: the value from 2023-01-01 ends on 2022-03-01, before it begins. `until` "
        "is the first day on which the value no longer holds: write a later day.",
    ),
    "date in quotes": (
        "scheme.toml", "from    = 2024-09-01", 'from    = "2024-09-01"',
        "toy/scheme.toml: scheme.cuts.from: is '2024-09-01' where a date is needed. Write from = 2024-05-01, without "
        "quotes.",
    ),
    "cuts not ascending": (
        "scheme.toml", CUTS, '{ class = "A", to = 50 }, { class = "B", to = 20 }',
        "toy/scheme.toml: scheme.cuts.classes: the cuts [50, 20, 75, 100] are not ascending. With direction "
        "'higher_is_riskier', order them so.",
    ),
    "cuts that end too early": (
        "scheme.toml", '{ class = "C", to = 75 }, { class = "D", to = 100 }', '{ class = "C", to = 75 }, '
        '{ class = "D", to = 99 }',
        "toy/scheme.toml: scheme.cuts.classes: the cuts end at 99, not at the highest score. Write to = 100 there.",
    ),
    "other classes from another day on": (
        "scheme.toml", CUTS, '{ class = "A", to = 20 }, { class = "X", to = 50 }',
        "toy/scheme.toml: scheme.cuts: the rows do not name the same classes in the same order. Use one set of classes.",
    ),
    "indicator that no rule reads": (
        POINTS, "- 9 * first_report", "",
        "toy/indicators/registration.toml: indicator.first_report: no rule reads this indicator. Use it in a rule or "
        "remove it.",
    ),
    "parameter that is not used": (
        POINTS, "penalties >= at_least", "penalties >= 1",
        "toy/rules/points.toml: rule.penalised.parameter.at_least: is not used by the rule. Use it in `when` or "
        "`points`, or remove it.",
    ),
    "bad unit": (
        RECORDS, 'unit    = "yuan"', 'unit    = "dollar"',
        "toy/indicators/records.toml: indicator.fines.unit: is 'dollar', which is not known. Use one of count, fen, "
        "yuan, point, step, code, year, flag.",
    ),
    "unit that changes": (
        POINTS, 'value = 30\nunit  = "point"', 'value = 30\nunit  = "count"',
        "toy/rules/points.toml: rule.penalised.parameter.each.unit: changes from one value to the next. Use one unit "
        "for all values of a parameter.",
    ),
    "key of another measure": (
        RECORDS, 'measure = "open"\n', 'measure = "open"\nwindow = 3\n',
        "toy/indicators/records.toml: indicator.listed.window: is an unknown key. Known here: kind, measure, second, "
        "title, unit.",
    ),
    "unknown measure": (
        RECORDS, 'measure = "load"', 'measure = "mean"',
        "toy/indicators/records.toml: indicator.load.measure: is 'mean', which is not known. Use one of count, sum, max, "
        "load, open, open_age, age, last, lookup, expired, missing_years.",
    ),
    "number in quotes": (
        POINTS, "value = 30", 'value = "30"',
        "toy/rules/points.toml: rule.penalised.parameter.each.value: is '30' where an integer is needed. Write whole "
        "numbers without quotes.",
    ),
    "share instead of a whole number": (
        POINTS, "value = 30", "value = 0.5",
        "toy/rules/points.toml: rule.penalised.parameter.each.value: is 0.5 where an integer is needed. Write whole "
        "numbers without quotes.",
    ),
    "steps that never reach zero": (
        "scheme.toml", "[300, 0]]", "[300, 10]]",
        "toy/scheme.toml: steps.decay.values.edges: the last weight is 10 percent, not 0. End with the age at which it "
        "is 0.",
    ),
    "ranges that overlap": (
        "scheme.toml", "[1300, 1499, 7]", "[1300, 5100, 7]",
        "toy/scheme.toml: lookup.industry.values.ranges: [1300, 5100] and [5100, 5299] overlap. Let every integer fall "
        "into one range.",
    ),
    "edges not ascending": (
        RECORDS, "edges   = [90, 365]", "edges   = [365, 90]",
        "toy/indicators/records.toml: indicator.checked.edges: [365, 90] are not ascending days. Write ages in days, "
        "ascending, from 0 on.",
    ),
    "deadline that not every year has": (
        "indicators/registration.toml", '"07-01"', '"02-29"',
        "toy/indicators/registration.toml: indicator.reports_missing.deadline: is '02-29', not a day of every year. "
        'Write month and day, for example "07-01".',
    ),
    "unknown group": (
        "scheme.toml", 'group = "facts"', 'group = "fact"',
        "toy/scheme.toml: second.registration.group: is 'fact', which is not known. Use one of records, facts, empty "
        "(did you mean 'facts'?).",
    ),
    "reason that names a stranger": (
        POINTS, "处罚 {penalties} 次", "处罚 {times} 次",
        "toy/rules/points.toml: rule.penalised.reason.zh: names {times}, which is not known. Put an indicator or a "
        "parameter of this rule between the braces.",
    ),
    "cap outside the scale": (
        HOLDS, "value = 20", "value = 200",
        "toy/rules/holds.toml: rule.cancelled.parameter.at_most: 200 lies outside the scale 0 to 100. Hold the score at "
        "a value of the scale.",
    ),
    "cap without a height": (
        HOLDS, "[[rule.other_state.parameter.at_most]]", "[[rule.other_state.parameter.high]]",
        "toy/rules/holds.toml: rule.other_state.parameter.at_most: is missing. A cap holds the score at this parameter: "
        "declare it.",
    ),
    "veto to an unknown class": (
        HOLDS, 'class  = "C"', 'class  = "E"',
        "toy/rules/holds.toml: rule.revoked.class: is 'E', which is not known. Use one of A, B, C, D.",
    ),
    "subject the scheme does not cover": (
        POINTS, 'subjects = ["enterprise"]', 'subjects = ["branch"]',
        "toy/rules/points.toml: rule.checked_well.subjects: names 'branch', which is not known. Choose from enterprise, "
        "individual.",
    ),
    "id that is a word of the language": (
        RECORDS, "[indicator.worst]", "[indicator.null]",
        "toy/indicators/records.toml: indicator.null: the id 'null' is a reserved word. Choose another word.",
    ),
    "id with other letters": (
        RECORDS, "[indicator.worst]", "[indicator.Worst]",
        "toy/indicators/records.toml: indicator.Worst: the id 'Worst' is not of the allowed form. Use a lower-case "
        "letter, then letters, digits and _, at most 63 characters.",
    ),
    "rule with the id of a group": (
        HOLDS, "[rule.revoked]", "[rule.records]",
        "toy/rules/holds.toml: rule.records: has the id of a group; `cap:` rows would be ambiguous. Rename the rule.",
    ),
    "broken TOML": (
        POINTS, "[rule.penalised]", "[rule.penalised",
        "toy/rules/points.toml: (TOML): cannot be read: Expected ']' at the end of a table declaration (at line 1, "
        "column 16). Mend the line; see https://toml.io.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_each_kind_of_mistake_names_file_key_and_remedy(toy, mistake):
    file, old, new, message = MISTAKES[mistake]
    change(toy, file, old, new)
    with pytest.raises(SchemeError) as error:
        load(toy)
    assert message in str(error.value).splitlines()


def test_all_mistakes_are_reported_at_once(toy):
    change(toy, POINTS, "value = 30", 'value = "30"')
    change(toy, HOLDS, 'class  = "C"', 'class  = "E"')
    change(toy, "scheme.toml", 'cycle     = "month"', 'cycle     = "fortnight"')
    with pytest.raises(SchemeError) as error:
        load(toy)
    assert [mistake.file for mistake in error.value.mistakes] == [
        "toy/rules/holds.toml", "toy/rules/points.toml", "toy/scheme.toml",
    ]  # fmt: skip
    first = error.value.mistakes[0]
    assert (error.value.file, error.value.key, error.value.problem, error.value.remedy) == (
        first.file, first.key, first.problem, first.remedy,
    )  # fmt: skip


def test_an_id_declared_in_two_files_is_a_mistake(toy):
    (toy / "rules" / "zz.toml").write_text((toy / HOLDS).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(
        SchemeError, match=r"toy/rules/zz.toml: rule.revoked: duplicate id, already declared in toy/rules/h"
    ):
        load(toy)


def test_files_that_nothing_reads_and_folders_without_a_scheme_are_mistakes(toy, tmp_path):
    (toy / "more.toml").write_text("", encoding="utf-8")
    with pytest.raises(SchemeError, match=r"toy/more.toml: \(file\): no part of the scheme reads this file. Move it"):
        load(toy)
    with pytest.raises(SchemeError, match=r"nothing/scheme.toml: \(file\): there is no such file"):
        load(tmp_path / "nothing")


def test_a_file_in_another_encoding_is_a_mistake_and_not_a_crash(toy):
    (toy / POINTS).write_bytes("近一年".encode("gb18030"))
    with pytest.raises(SchemeError, match=r"toy/rules/points.toml: byte 0: the file is not UTF-8"):
        load(toy)


@pytest.mark.parametrize("junk", ["rule = 3", "rule = []", "[rule]\nx = 3", "[rule.x]\nparameter = 4", "[[rule.x]]",
                                  "[rule.x]\nparameter = { a = [1] }", "[rule.x]\ntitle = 1\nreason = []"])  # fmt: skip
def test_values_of_a_wrong_shape_are_mistakes_and_not_crashes(toy, junk):
    (toy / "rules" / "zz.toml").write_text(junk, encoding="utf-8")
    with pytest.raises(SchemeError, match=r"toy/rules/zz\.toml"):
        load(toy)


def test_the_hash_does_not_depend_on_files_order_comments_or_whitespace(toy):
    text = (toy / POINTS).read_text(encoding="utf-8")
    change(toy, POINTS, "fines > 1000 or worst = 3", "fines   >  1000 or   worst = 3")
    text = (toy / POINTS).read_text(encoding="utf-8")
    first, second = text[: text.index("[rule.fined]")], text[text.index("[rule.fined]") :]
    (toy / POINTS).write_text("# a comment\n" + second.replace(" = ", "  =  "), encoding="utf-8")
    (toy / "rules" / "aa.toml").write_text(first, encoding="utf-8")
    assert load(toy).hash == SCHEME.hash


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (POINTS, "value = 30", "value = 31"),
        (POINTS, "Art. 2", "Art. 3"),
        ("scheme.toml", "until   = 2024-09-01", "until   = 2024-10-01"),
        (RECORDS, "window  = 365", "window  = 366"),
    ],
)
def test_the_hash_changes_with_every_value(toy, file, old, new):
    change(toy, file, old, new)
    if "until" in old:
        change(toy, file, "from    = 2024-09-01", "from    = 2024-10-01")
    assert load(toy).hash != SCHEME.hash


def test_the_scheme_is_what_the_file_says():
    assert (SCHEME.id, SCHEME.title.zh, SCHEME.published) == ("toy", "玩具方案", False)
    assert SCHEME.classes == ("A", "B", "C", "D")
    assert list(SCHEME.rules) == sorted(SCHEME.rules)
    assert SCHEME.rules["penalised"].indicators == ("penalties",)


def test_a_book_holds_each_scheme_by_id_and_refuses_two_of_one_id(toy, tmp_path):
    assert list(load_book(tmp_path)) == ["toy"]
    shutil.copytree(toy, tmp_path / "toy2")
    with pytest.raises(
        SchemeError, match=r"toy2/scheme.toml: scheme.id: duplicate id 'toy'. Give each scheme its own id"
    ):
        load_book(tmp_path)
