"""The sample is loaded as posting and importing would have stored it, into an empty registry only."""

from datetime import date

import orjson
import pytest

from registry import database, privacy
from registry.errors import ConfigError, NotEmpty
from registry.kinds import KINDS
from registry.models import Coverage, Entity, EntityName, Fact, LedgerHead, Record, Stale
from registry.sample import generate
from registry.services import entities, grading, ledger, mirrors, relations, seal, search
from registry.services.entities import Party
from registry.services.sampling import load_sample
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.sample.stating import papers, stated
from tests.registry.sealing import checked, sealed

SIZE = 300
REGISTRATION = KINDS["registration"]
LEDGER = (
    "identity, content, kind, entity_id, code, severity, amount_fen, happened_on, ends_on, document_no, organ, detail"
)
FACTS = "entity, kind, code, severity, amount, day, ends"
RELATIONS = "known, entity, type, other_code, person_hash, share, from_on, to_on, gone"
ENTITIES = "id, code, registration_no, organisation_code, name, kind, status, industry, division, organ, address, established, capital_fen, provisional"


def read(columns, table, condition=""):
    rows = database.execute(f"SELECT {columns} FROM {table} {condition}").fetchall()  # noqa: S608
    return sorted(
        tuple(str(orjson.loads(cell)) if isinstance(cell, str) and cell.startswith("{") else str(cell) for cell in row)
        for row in rows
    )


def test_loaded_rows_equal_what_stating_them_through_the_ledger_would_have_stored(settings):
    load_sample(settings, size=SIZE, density=3, today=TODAY, now=NOW)
    loaded = (
        read(LEDGER, "record", "WHERE kind <> 'coverage'"),
        read(FACTS, "fact"),
        read(ENTITIES, "entity"),
        read("entity_id, folded", "entity_name"),
        read(RELATIONS, "relation"),
    )
    key = privacy.key(settings)
    sample, known = generate(SIZE, today=TODAY, density=3, key=key), papers(SIZE, key)
    wipe()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        rows = []
        for row in sample.entities.iter_rows(named=True):
            fields = {"name": row["name"], "subject": row["kind"], "status": row["status"], "industry": int(row["industry"]),
                      "division": row["division"], "address": row["address"], "established": row["established"],
                      "capital_fen": row["capital_fen"], "term_ends": row["term_ends"]}  # fmt: skip
            said = REGISTRATION.state(REGISTRATION.schema(today=date(2099, 1, 1)).load(fields))
            rows.append((Party(code=row["code"], organisation_code=row["code"][8:17], name=row["name"]), said))
        entities.register(pen, rows, source="sample")
        for name, frame in sample.records.items():
            pairs = [(row["entity"] + 1, stated(name, row, known, key)) for row in frame.iter_rows(named=True)]
            said = [outcome.said for outcome in pen.state(pairs, source="sample")]
            assert set(said) <= {"stored"}
    stored = (
        read(LEDGER, "record"),
        read(FACTS, "fact"),
        read(ENTITIES, "entity"),
        read("entity_id, folded", "entity_name"),
        read(RELATIONS, "relation"),
    )
    assert len(stored[-1]) > 30
    for one, other in zip(loaded, stored, strict=True):
        assert one == other


def wipe():
    """Empty the tables, past the trigger that keeps the ledger from it: this is a test's own registry."""
    if database.is_postgres():
        database.execute(
            "TRUNCATE record, fact, relation, entity_name, name_pinyin, entity, moment, stale, coverage CASCADE"
        )
    else:
        database.execute("DROP TRIGGER record_kept")
        for table in ("fact", "relation", "stale", "coverage", "record", "entity_name", "moment", "entity"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        database.execute("INSERT INTO name_index(name_index) VALUES ('delete-all')")
    database.execute("UPDATE ledger_head SET seq = 0, entity = 0, name = 0")


def test_the_numbers_of_the_head_follow_what_was_loaded(settings):
    said = load_sample(settings, size=SIZE, today=TODAY, now=NOW)
    head = LedgerHead.get()
    assert (head.entity, head.name) == (SIZE, SIZE)
    assert head.seq == Record.select().count() == SIZE + said["records"] + Coverage.select().count()
    assert [row.seq for row in Record.select().order_by(Record.seq)] == list(range(1, head.seq + 1))
    assert said["entities"] == SIZE == Entity.select().count()
    assert said["penalty"] == Record.select().where(Record.kind == "penalty").count()


def test_more_can_be_said_after_the_sample_was_loaded(settings):
    load_sample(settings, size=SIZE, today=TODAY, now=NOW)
    entity = registered(name="信衡后来有限公司")
    assert entity == SIZE + 1
    assert EntityName.get(EntityName.entity == entity).id == SIZE + 1


def test_everyone_of_the_sample_is_due_and_is_found_by_name(settings):
    load_sample(settings, size=SIZE, today=TODAY, now=NOW)
    assert Stale.select().count() == SIZE
    assert grading.due(grading.scheme_named(settings), day=TODAY).entities == SIZE
    name = Entity.get_by_id(7).name
    found = search.page(search.Query(q=name), scheme="general-risk", with_class=False, after=None, limit=50)
    assert 7 in {item["id"] for item in found.items}


def test_a_sample_never_comes_among_real_entities(settings):
    registered()
    with pytest.raises(NotEmpty, match="Load the sample into an empty one"):
        load_sample(settings, size=SIZE, today=TODAY, now=NOW)
    assert Entity.select().count() == 1


def test_a_sample_is_loaded_once(settings):
    load_sample(settings, size=50, today=TODAY, now=NOW)
    with pytest.raises(NotEmpty):
        load_sample(settings, size=50, today=TODAY, now=NOW)


def test_progress_is_told_and_ends_with_everything(settings):
    told = []
    said = load_sample(settings, size=SIZE, today=TODAY, now=NOW, progress=lambda *more: told.append(more))
    assert told[0] == ("generate", 0, 1)
    assert told[-1][1] == told[-1][2] == SIZE + said["records"]


def test_every_fact_is_implied_by_a_row_of_the_ledger(settings):
    load_sample(settings, size=SIZE, density=3, today=TODAY, now=NOW)
    dated = Record.select().where(Record.happened_on.is_null(False) & (Record.kind != "coverage")).count()
    assert Fact.select().where(Fact.part == 0).count() == dated
    checks = Record.select().where(Record.kind == "spot_check")
    assert Fact.select().where(Fact.part > 0).count() == checks.count() + checks.where(Record.severity > 0).count()


def test_verify_finds_nothing_to_say_about_a_town(on_sqlite):
    seal.make_log(on_sqlite, now=NOW)
    load_sample(on_sqlite, size="town", today=TODAY, now=NOW)
    sealed(on_sqlite)
    assert checked(on_sqlite).findings == []
    assert list(mirrors.differences()) == []


def test_a_person_is_found_by_the_registry_s_own_hash_and_his_paper_is_nowhere(on_sqlite):
    load_sample(on_sqlite, size=2_000, today=TODAY, now=NOW)
    several = database.execute(
        "SELECT person_hash, count(*) FROM relation WHERE person_hash IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    ).fetchone()
    assert several[1] > 1
    known = papers(2_000, privacy.key(on_sqlite))
    related = relations.same_person(several[0], TODAY)
    assert {one.type for one in related} == {"legal_representative"}
    assert len({one.of.code for one in related}) == several[1]
    written = database.execute(
        "SELECT count(*) FROM record WHERE detail LIKE ?", (f"%{known[several[0]]}%",)
    ).fetchone()
    assert written[0] == 0


def test_without_a_privacy_key_nothing_is_loaded(on_sqlite):
    on_sqlite.path(on_sqlite.privacy.key_file).unlink()
    privacy._read.cache_clear()
    with pytest.raises(ConfigError, match="Run `xinheng init`"):
        load_sample(on_sqlite, size=50, today=TODAY, now=NOW)
    assert ledger.head() == 0
