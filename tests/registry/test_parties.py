"""Whom a row is about: one enterprise under its code and its older numbers is one entity, and doubt waits for a person."""

import pytest

from registry import database, mappings
from registry.cells.checks import organisation_check, registration_check
from registry.models import Entity, EntityName, Record, Unmatched
from registry.services import entities, ledger
from registry.services.parsing import RowParser
from registry.services.parties import Party
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported, penalties
from tests.registry.tables import HEADINGS_2021, REGISTRATION, penalty_row, registration_row, table

NAME, OTHER = "信衡示例有限公司", "信衡别家有限公司"
CODE, SECOND = credit_code(number=1), credit_code(number=2)
# Both columns of a register: the code and, behind it, the old number.
REGISTER = (*REGISTRATION, "注册号")
WEAK = {"13 digits": "3302002004007", "letters": "331022NA001053X"}


def old_number(serial):
    first14 = f"9901000{serial:07d}"
    return first14 + registration_check(first14)


OLD, OLDER = old_number(1), old_number(2)


def in_register(code, number, *, name=NAME, **given):
    return [*registration_row(code, name=name, **given), number]


def register(settings, tmp_path, *rows, **given):
    return imported(settings, table(tmp_path, REGISTER, rows, name="register.csv"), source="register", **given)


def penalise(settings, tmp_path, *given, **more):
    rows = [penalty_row(**{"code": "", "document_no": f"信{n}号", **one}) for n, one in enumerate(given)]
    return imported(settings, table(tmp_path, HEADINGS_2021, rows, name="penalties.csv"), **more)


def numbers():
    rows = Entity.select(Entity.code, Entity.registration_no, Entity.organisation_code).order_by(Entity.id)
    return list(rows.tuples())


def waiting():
    return [one.reason for one in Unmatched.select().order_by(Unmatched.id)]


def test_a_row_with_both_numbers_goes_to_the_entity_that_is_known_by_its_old_one(settings, tmp_path):
    register(settings, tmp_path, in_register("", OLD))
    report = penalise(settings, tmp_path, {"code": CODE, "registration_no": OLD})
    assert counts_of(report) == {"stored": 1}
    assert numbers() == [(None, OLD, None)]  # a record gives nobody a number
    assert [one.entity_id for one in penalties()] == [Entity.get().id]


def test_a_registration_with_both_numbers_gives_the_entity_its_code(settings, tmp_path):
    register(settings, tmp_path, in_register("", OLD))
    first = Entity.get().id
    register(settings, tmp_path, in_register(CODE, OLD))
    assert numbers() == [(CODE, OLD, CODE[8:17])]
    assert entities.get(CODE).id == first
    assert Record.select().where(Record.replaced_seq.is_null()).count() == 1


def test_a_code_is_given_although_the_registration_says_nothing_else_that_is_new(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, ""))
    report = register(settings, tmp_path, in_register(CODE, OLD))
    assert counts_of(report) == {"unchanged": 1}
    assert numbers() == [(CODE, OLD, CODE[8:17])]


@pytest.mark.parametrize("chunk", [1, 2, 400])
def test_a_register_with_both_columns_stores_both_numbers_so_that_either_finds_it(settings, tmp_path, chunk):
    register(settings, tmp_path, in_register(CODE, OLD), in_register(SECOND, OLDER, name=OTHER), chunk=chunk)
    assert numbers() == [(CODE, OLD, CODE[8:17]), (SECOND, OLDER, SECOND[8:17])]
    report = penalise(
        settings, tmp_path, {"registration_no": OLDER}, {"code": SECOND}, {"organisation_code": CODE[8:17]}, chunk=chunk
    )
    assert counts_of(report) == {"stored": 3}
    second = entities.get(SECOND).id
    assert [one.entity_id for one in penalties()] == [second, second, entities.get(CODE).id]


@pytest.mark.parametrize("chunk", [1, 2, 3, 400])
def test_numbers_that_come_row_by_row_meet_in_one_entity_whatever_the_chunk(settings, tmp_path, chunk):
    rows = [in_register("", OLD), in_register(CODE, OLD), in_register(CODE, ""), in_register("", OLD)]
    register(settings, tmp_path, *rows, chunk=chunk)
    assert numbers() == [(CODE, OLD, CODE[8:17])]


def test_an_unknown_code_beside_the_number_of_an_entity_with_another_code_waits_and_makes_no_twin(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, OLD))
    report = penalise(settings, tmp_path, {"code": SECOND, "registration_no": OLD})
    assert counts_of(report) == {"unmatched": 1}
    assert (waiting(), Entity.select().count()) == (["numbers_disagree"], 1)


def test_a_registration_whose_numbers_disagree_waits_too(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, OLD))
    report = register(settings, tmp_path, in_register(SECOND, OLD, name=OTHER), in_register(CODE, OLD))
    assert counts_of(report) == {"unchanged": 1, "unmatched": 1}
    assert (waiting(), numbers()) == (["numbers_disagree"], [(CODE, OLD, CODE[8:17])])


def test_a_number_and_an_organisation_code_of_two_entities_wait(settings, tmp_path):
    register(settings, tmp_path, in_register("", OLD), in_register(CODE, "", name=OTHER))
    report = penalise(settings, tmp_path, {"registration_no": OLD, "organisation_code": CODE[8:17]})
    assert (counts_of(report), waiting()) == ({"unmatched": 1}, ["numbers_disagree"])


def test_a_row_that_names_two_codes_waits_and_a_registration_with_two_is_refused(settings, tmp_path):
    for code in (CODE, SECOND):
        registered(code)
    report = penalise(settings, tmp_path, {"code": CODE, "registration_no": SECOND})
    assert (counts_of(report), waiting()) == ({"unmatched": 1}, ["numbers_disagree"])
    assert counts_of(register(settings, tmp_path, in_register(CODE, SECOND))) == {"rejected": 1}


def test_a_known_code_decides_whatever_stands_beside_it(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, OLD), in_register(SECOND, OLDER, name=OTHER))
    report = penalise(settings, tmp_path, {"code": SECOND, "registration_no": OLD})
    assert counts_of(report) == {"stored": 1}
    assert [one.entity_id for one in penalties()] == [entities.get(SECOND).id]


def test_a_number_that_another_entity_has_is_not_taken_from_it(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, OLD), in_register(SECOND, "", name=OTHER))
    register(settings, tmp_path, in_register(SECOND, OLD, name=OTHER))
    assert numbers() == [(CODE, OLD, CODE[8:17]), (SECOND, None, SECOND[8:17])]


def test_an_organisation_code_that_two_entities_have_leads_nowhere(settings, tmp_path):
    first, second = CODE, credit_code("93", number=1)
    assert first[8:17] == second[8:17]
    for code in (first, second):
        registered(code)
    report = penalise(settings, tmp_path, {"organisation_code": first[8:17]})
    assert (counts_of(report), waiting()) == ({"unmatched": 1}, ["ambiguous"])


@pytest.mark.parametrize("chunk", [1, 400])
def test_a_row_finds_the_provisional_entity_that_the_row_before_it_made(settings, tmp_path, chunk):
    report = penalise(settings, tmp_path, {"code": CODE}, {"organisation_code": CODE[8:17]}, chunk=chunk)
    assert counts_of(report) == {"stored": 2, "provisional": 1}
    assert numbers() == [(CODE, None, CODE[8:17])]


@pytest.mark.parametrize("number", WEAK.values(), ids=list(WEAK))
def test_a_number_without_a_check_digit_attaches_under_a_known_name_only(settings, tmp_path, number):
    register(settings, tmp_path, in_register("", number, name="信衡（示例）有限公司"))
    named = {"registration_no": number, "name": "信衡(示例) 有限公司。"}
    report = penalise(
        settings, tmp_path, named, {"registration_no": number, "name": OTHER}, {"registration_no": number, "name": ""}
    )
    assert counts_of(report) == {"stored": 1, "unmatched": 2}
    assert waiting() == ["name_differs", "name_differs"]


def test_a_former_name_will_do(settings, tmp_path):
    weak = WEAK["13 digits"]
    register(settings, tmp_path, in_register(CODE, weak), in_register(CODE, weak, name="信衡新名有限公司"))
    assert EntityName.select().count() == 2
    assert counts_of(penalise(settings, tmp_path, {"registration_no": weak, "name": NAME})) == {"stored": 1}


def test_a_number_with_a_check_digit_needs_no_name(settings, tmp_path):
    register(settings, tmp_path, in_register("", OLD))
    assert counts_of(penalise(settings, tmp_path, {"registration_no": OLD, "name": OTHER})) == {"stored": 1}


@pytest.mark.parametrize("number", WEAK.values(), ids=list(WEAK))
@pytest.mark.parametrize("chunk", [1, 400])
def test_a_registration_under_such_a_number_and_another_name_is_not_taken_for_the_same(
    settings, tmp_path, number, chunk
):
    rows = [
        in_register("", number),
        in_register("", number, name=OTHER),
        in_register(CODE, number, name=OTHER),
        in_register("", number),
    ]
    report = register(settings, tmp_path, *rows, chunk=chunk)
    assert counts_of(report) == {"stored": 1, "unchanged": 1, "unmatched": 2}
    assert (waiting(), numbers()) == (["name_differs", "name_differs"], [(None, number, None)])


def test_such_a_number_does_not_replace_one_with_a_check_digit(settings, tmp_path):
    register(settings, tmp_path, in_register(CODE, WEAK["13 digits"]))
    register(settings, tmp_path, in_register(CODE, OLD), in_register(CODE, WEAK["13 digits"]))
    assert numbers() == [(CODE, OLD, CODE[8:17])]


def test_the_party_of_a_row_has_every_usable_number_of_it(tmp_path):
    mapping = mappings.shipped()["penalty-legal-person"]
    parser = RowParser(mapping, list(HEADINGS_2021), today=TODAY, key=b"0" * 32)
    organisation = "12345678" + organisation_check("12345678")

    def party(**given):
        return parser.parse(penalty_row(**{"code": "", "name": NAME, **given})).party

    assert party(code=CODE, registration_no=OLD) == Party(CODE, OLD, CODE[8:17], NAME)
    assert party(code=CODE, organisation_code=organisation) == Party(CODE, None, CODE[8:17], NAME)
    assert party(registration_no=OLD, organisation_code=organisation) == Party(None, OLD, organisation, NAME)
    assert party(registration_no=CODE, code=OLD) == Party(CODE, OLD, CODE[8:17], NAME)
    assert party(registration_no=WEAK["13 digits"], code=OLD) == Party(None, OLD, None, NAME)
    assert party() is None


def test_a_batch_of_parties_costs_the_same_few_queries_whatever_its_size(settings, count_queries):
    sent = []
    for size in (2, 60):
        codes = [credit_code(number=1000 * size + n) for n in range(size)]
        weak = f"33020020040{size:02d}"
        with ledger.writing(now=NOW, schemes=[]) as pen:
            entities.provisional(pen, [Party(code, name=NAME) for code in codes])
        database.execute("UPDATE entity SET registration_no = ? WHERE code = ?", (weak, codes[0]))
        parties = [Party(code, old_number(n), code[8:17], NAME) for n, code in enumerate(codes)]
        with count_queries() as queries:
            found = entities.match([*parties, Party(registration_no=weak, name=NAME)])
        assert all(found)
        sent.append(len(queries))
    assert sent == [4, 4]
