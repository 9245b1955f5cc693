"""Who brought the words of a record: by key, by file, by a decision about its party. They may not review it."""

import pytest

from registry import database, privacy
from registry.models import Entity, Record, Unmatched
from registry.services import deciding, imports, ledger, life, queue
from registry.services.deciding import Who
from registry.services.entities import Party
from registry.services.life import SameHands
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry import lives
from tests.registry.lives import REVIEWER, SCHEMES
from tests.registry.tables import HEADINGS_2021, penalty_row, table


def brought(settings, tmp_path, *rows, sender="key:sender", area="9901", name="penalties.csv"):
    """Import penalties for a sender, in an area where parties are found by name."""
    given = [penalty_row(**{"code": "", "document_no": f"信{n}号", **row}) for n, row in enumerate(rows)]
    opened = imports.open_source(table(tmp_path, HEADINGS_2021, given, name=name), source="file")
    return imports.run(
        opened, today=TODAY, key=privacy.key(settings), schemes=SCHEMES, chunk=2, actor=sender, now=lambda: NOW, division=area
    )  # fmt: skip


def came_by_file():
    return Record.get((Record.source == "file") & Record.replaced_seq.is_null() & (Record.act != "step")).seq


def test_who_sent_the_file_that_holds_a_record_may_not_review_it(settings, tmp_path):
    code = credit_code()
    registered(code)
    brought(settings, tmp_path, {"code": code})
    assert life.posted_by(lives.target(came_by_file())) == {"key:sender"}
    with pytest.raises(SameHands, match="key:sender posted this record"):
        lives.passed(came_by_file(), actor="key:sender")
    lives.passed(came_by_file(), actor=REVIEWER)


def test_who_decided_whom_a_row_is_about_and_who_sent_it_may_not_review_it(settings, tmp_path):
    entity = registered()
    brought(settings, tmp_path, {"name": "信衡别家有限公司"}, area="")
    who = Who("key:clerk", TODAY, NOW + 60_000, SCHEMES)
    deciding.decide([Unmatched.get().id], "match", to=Entity.get_by_id(entity).code, reason="核实", who=who)
    seq = came_by_file()
    assert life.posted_by(lives.target(seq)) == {"key:sender", "key:clerk"}
    for actor in ("key:sender", "key:clerk"):
        with pytest.raises(SameHands):
            lives.passed(seq, actor=actor)
    lives.passed(seq, actor=REVIEWER)


def test_who_confirmed_a_record_found_by_name_may_not_review_it(settings, tmp_path):
    registered(name="信衡按名有限公司")
    brought(settings, tmp_path, {"name": "信衡按名有限公司"})
    who = Who("key:clerk", TODAY, NOW + 60_000, SCHEMES)
    deciding.confirm([came_by_file()], reason="核实", who=who)
    assert life.posted_by(lives.target(came_by_file())) == {"key:sender", "key:clerk"}


def test_of_words_that_a_registration_released_every_sender_of_their_source_is_barred(settings, tmp_path):
    code = credit_code()
    brought(settings, tmp_path, {"organisation_code": code[8:17]})
    brought(
        settings,
        tmp_path,
        {"organisation_code": credit_code()[8:17], "document_no": "信7号"},
        sender="key:second",
        name="b.csv",
    )
    registered(code, now=NOW + 60_000)
    with ledger.writing(now=NOW + 60_000, schemes=SCHEMES) as pen:
        queue.release(pen, [Party(code=code, organisation_code=code[8:17])], now=NOW + 60_000)
    assert life.posted_by(lives.target(came_by_file())) == {"key:sender", "key:second"}


def test_a_restated_record_is_still_its_senders(settings, tmp_path):
    code = credit_code()
    registered(code)
    brought(settings, tmp_path, {"code": code})
    seq = came_by_file()
    with ledger.writing(now=NOW + 60_000, schemes=SCHEMES) as pen:
        pen.withdraw(seq, source="other", reason="误")
    with ledger.writing(now=NOW + 120_000, schemes=SCHEMES) as pen:
        pen.restate(life.current(seq).seq, source="other", reason="撤销有误")
    assert life.posted_by(lives.target(seq)) == {"key:sender"}


@pytest.mark.usefixtures("settings")
def test_who_brought_a_record_is_found_by_indexes():
    asked = [
        "SELECT actor FROM audit WHERE seq IN (5, 7) AND verb IN ('records.posted', 'record.corrected')",
        "SELECT sender FROM import_run WHERE source = 'file' AND started_at <= 5",
        life._SAID.replace("?", "'x'"),
    ]
    for plan in [] if database.is_postgres() else map(plan_of, asked):
        assert "SCAN" not in plan
        assert "INDEX" in plan
    names = {row[0] for row in database.execute(INDEXES[database.is_postgres()]).fetchall()}
    assert {"audit_seq", "import_run_source_started_at"} <= names


INDEXES = {
    False: "SELECT name FROM sqlite_master WHERE type = 'index'",
    True: "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}


def plan_of(sql):
    return "\n".join(str(row) for row in database.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
