"""Creating and upgrading the database, and what no model can say: the full-text index of names."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from registry.database import db, is_postgres
from registry.models import ALL

FOLDER = Path(__file__).parent / "migrations"
# Any number that nobody else locks with: "xin" in hexadecimal.
LOCK = 0x78696E

# Two characters are enough to find a name. SQLite indexes single characters and asks for phrases; PostgreSQL indexes
# pairs of neighbours. Trigram indexes of either find nothing for two Chinese characters.
NAMES_SQLITE = [
    "CREATE VIRTUAL TABLE name_index USING fts5(characters, content='', tokenize='unicode61', detail='full')"
]
NAMES_POSTGRES = [
    # Brackets, dots and blanks are no part of what is searched, as in the one-character tokens of SQLite.
    r"""CREATE FUNCTION searchable(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(name, '()[]{}<>.,;:!?*+-=_/\|&@#$^~`" ·、。・…—–“”‘’《》〈〉「」『』【】〔〕' || chr(37) || chr(39), '') $$""",
    """CREATE FUNCTION bigrams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(substr(searchable(name), i, 2)) FROM generate_series(1, greatest(length(searchable(name)) - 1, 1)) AS i $$""",
    "CREATE INDEX name_index ON entity_name USING gin (bigrams(folded))",
]
# Names as they are read: words are syllables, and three initials in a row.
PINYIN_SQLITE = [
    "CREATE VIRTUAL TABLE name_index_pinyin USING fts5(words, content='', tokenize='unicode61', detail='full')"
]
PINYIN_POSTGRES = [
    """CREATE FUNCTION initials(syllables text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(syllables, '(\\S)\\S*\\s*', '\\1', 'g') $$""",
    """CREATE FUNCTION pinyin_words(syllables text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_to_array(syllables, ' ') || array(SELECT '1' || substr(initials(syllables), i, 3)
    FROM generate_series(1, length(initials(syllables)) - 2) AS i) $$""",
    "CREATE INDEX name_pinyin_index ON name_pinyin USING gin (pinyin_words(syllables))",
]

# The ledger is append-only in the database too: only the cache column that says "replaced" may ever change.
# What a lawful erasure empties is on record in `erasure` before it is emptied.
FROZEN = "seq, act, identity, content, kind, entity_id, code, severity, amount_fen, happened_on, ends_on, document_no, organ, source, detail, about, matched, replaces"
UNLESS_ERASED = "WHERE NOT EXISTS (SELECT 1 FROM erasure WHERE erasure.seq = old.seq)"
FROZEN_SQLITE = [
    f"CREATE TRIGGER record_frozen BEFORE UPDATE OF {FROZEN} ON record "
    f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: write a correction') {UNLESS_ERASED}; END",
    "CREATE TRIGGER record_kept BEFORE DELETE ON record "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: write a withdrawal'); END",
]
FROZEN_POSTGRES = [
    f"""CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM 1 {UNLESS_ERASED};
    IF FOUND THEN RAISE EXCEPTION 'the ledger is append-only: write a correction or a withdrawal'; END IF;
    RETURN new; END $$""",
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only: write a correction or a withdrawal'; END $$""",
    f"CREATE TRIGGER record_frozen BEFORE UPDATE OF {FROZEN} ON record FOR EACH ROW EXECUTE FUNCTION refuse_update()",
    "CREATE TRIGGER record_kept BEFORE DELETE ON record FOR EACH ROW EXECUTE FUNCTION refuse_change()",
]
HEAD = ["INSERT INTO ledger_head (id, seq, entity, name) VALUES (1, 0, 0, 0)"]


def extras() -> list[str]:
    """What no model can say, for the connected kind of database."""
    if is_postgres():
        return [*NAMES_POSTGRES, *PINYIN_POSTGRES, *FROZEN_POSTGRES, *HEAD]
    return [*NAMES_SQLITE, *PINYIN_SQLITE, *FROZEN_SQLITE, *HEAD]


@contextmanager
def _one_at_a_time() -> Generator[None, None, None]:
    """Hold the migration lock: the runner itself takes none, and two starters at once would both migrate."""
    if is_postgres():
        # Another starter may migrate for longer than a statement may wait for a lock.
        db.execute_sql("SET lock_timeout = 0")
        db.execute_sql("SELECT pg_advisory_lock(%s)", (LOCK,))
        try:
            yield
        finally:
            db.execute_sql("SELECT pg_advisory_unlock(%s)", (LOCK,))
            db.execute_sql("RESET lock_timeout")
        return
    with Path(f"{db.database}.migrate").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def upgrade() -> list[str]:
    """Bring the database to this version and return the migrations that were applied. Safe to repeat and to race."""
    with _one_at_a_time():
        applied: list[str] = Runner(db.obj, str(FOLDER)).up()
    return applied


def is_current() -> bool:
    """Say whether every migration of this version has been applied."""
    return all(migration.applied for migration in Runner(db.obj, str(FOLDER)).status())


def create_from_models() -> None:
    """Create the tables straight from the models, for comparing with what the migrations made."""
    for statement in ddl():
        db.execute_sql(statement)


def describe() -> list[str]:
    """Every table, column, constraint and index of the connected database, sorted, as text that can be compared."""
    if not is_postgres():
        rows = db.execute_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'sqlite_%' "
            "AND name NOT LIKE 'name_index_%' AND name <> 'schema_migration' AND tbl_name <> 'schema_migration'"
        )
        return sorted(" ".join(row[0].split()) for row in rows)
    found: list[str] = []
    for query in (
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(character_maximum_length, 0) || "
        "' ' || is_nullable FROM information_schema.columns WHERE table_schema = current_schema()",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = current_schema()::regnamespace",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal",
    ):
        found += [row[0] for row in db.execute_sql(query) if "schema_migration" not in row[0]]
    return sorted(found)


def ddl() -> list[str]:
    """The statements that create the tables of the models on the connected kind of database."""
    statements: list[str] = []
    for model in ALL:
        manager = model._schema  # type: ignore[attr-defined]
        for context in (manager._create_table(safe=False), *manager._create_indexes(safe=False)):
            sql, parameters = context.query()
            for value in parameters:
                sql = sql.replace("%s" if is_postgres() else "?", repr(value), 1)
            # Clustering by the key is SQLite's; the mapper writes it for every database.
            statements.append(sql.removesuffix(" WITHOUT ROWID") if is_postgres() else sql)
    return statements + extras()
