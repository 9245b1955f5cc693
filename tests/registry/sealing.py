"""What the tests of the seal share: a sealed ledger, an attacker who may write the whole database, and the check."""

from registry.database import execute, is_postgres
from registry.sealing import signing
from registry.services import seal, verify
from tests.conftest import NOW
from tests.factories import record, registered

MINUTE = 60_000


def sealed(settings, now=NOW):
    return seal.seal(settings, now=lambda: now)


def ledger_of(settings, penalties=20, rounds=1):
    """A registry with a log, two entities and some penalties, sealed in `rounds`; the numbers of the penalties."""
    seal.make_log(settings, now=NOW)
    one, other = registered(), registered()
    made = []
    for turn in range(rounds):
        at = NOW + turn * MINUTE
        made += [
            record(other if number % 5 == 0 else one, fine_fen=1000 + number, now=at).seq
            for number in range(penalties // rounds)
        ]
        sealed(settings, at)
    return made


def attack(sql, *values):
    """Write what no verb would write, with the rights of the owner of the database."""
    if is_postgres():
        execute("ALTER TABLE record DISABLE TRIGGER USER")
    else:
        execute("DROP TRIGGER IF EXISTS record_frozen")
        execute("DROP TRIGGER IF EXISTS record_kept")
    return execute(sql, values)


def checked(settings, **given):
    return verify.verify(settings, **given)


def said(settings, **given):
    """Everything that the check found, as (what, rows, sentence)."""
    return [(one.what, one.rows, one.sentence) for one in checked(settings, **given).findings]


def roots_path(settings):
    return signing.place(settings, settings.seal.roots_file)
