"""The first tables. The statements stand beside this file, one file per kind of database, as they were released."""

from pathlib import Path

from peewee import Database, PostgresqlDatabase


def up(migrator: object, db: Database) -> None:
    dialect = "postgresql" if isinstance(db, PostgresqlDatabase) else "sqlite"
    text = Path(__file__).with_suffix(f".{dialect}.sql").read_text(encoding="utf-8")
    for statement in text.split(";;\n"):
        if statement.strip():
            db.execute_sql(  # type: ignore[no-untyped-call]
                statement.replace("%", "%%") if dialect == "postgresql" else statement
            )
