"""Whatever accident happened to a file: it is read and every row accounted for, or it is refused in words.

A slice of 150 files runs always; XINHENG_TEST_FILES=2000 runs as many as it says.
"""

import csv
import io
import os
from collections import Counter

import pytest

from registry import privacy
from registry.errors import BadFile
from registry.models import ImportRun
from registry.services import imports
from registry.services.understanding import body
from registry.tables.packed import opened
from tests.conftest import TODAY
from tests.registry.importing import SCHEMES
from tests.registry.mutations import mutated

FILES = int(os.environ.get("XINHENG_TEST_FILES", "150"))
# Every so many files are imported for good, into one registry.
IMPORTED_EVERY = 10
PIECES = 10


def said_in_words(error):
    """A refusal is a sentence that names the file or what is missing, and shows no bytes of it."""
    assert error.detail.rstrip().endswith((".", ")")), error.detail
    assert len(error.detail) < 2_500
    assert "\x00" not in error.detail
    return error.detail


def records_in(table):
    """Records of a text as Python's own reader finds them."""
    csv.field_size_limit(1 << 24)
    with opened(table.path, table.compressed) as stream:
        text = stream.read().decode(table.encoding)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=table.separator))


def tried(path):
    """ "refused", "broken" (read as far as it goes) or "read": and the accounting holds in each case."""
    try:
        source = imports.open_source(path)
    except BadFile as error:
        said_in_words(error)
        return "refused"
    found = imports.dry_run(source, today=TODAY, key=b"0" * 32)
    counts = found.counts
    assert counts.read == counts.stored + counts.unmatched + counts.rejected == source.rows
    assert sum(cause.count for cause in found.causes) == counts.rejected
    assert sum(cause.count for cause in found.waits) == counts.unmatched
    assert all(cause.reason for cause in found.causes)
    assert found.as_dict()["counts"]["read"] == source.rows
    if found.damage:
        return "broken"
    if source.file.form in ("csv", "tsv"):
        # Nothing is lost between the bytes and the rows: header, rows above it, rows, and what was left out are all there is.
        records = [record for record in records_in(source.file)[source.header_row :] if record]
        assert len(records) == source.rows + sum(source.left_out.values())
    return "read"


@pytest.mark.parametrize("piece", range(PIECES))
def test_a_mutated_file_is_accounted_for_or_refused_in_words(tmp_path, piece):
    outcomes = Counter()
    for seed in range(piece, FILES, PIECES):
        name, content = mutated(seed)
        path = tmp_path / name
        path.write_bytes(content)
        try:
            outcomes[tried(path)] += 1
        except BaseException as error:
            raise AssertionError(f"mutated({seed}): {error!r}") from error
    assert outcomes["read"]
    assert outcomes["refused"]


def test_no_mutated_file_is_half_imported_without_saying_so(on_sqlite, tmp_path):
    done = 0
    for seed in range(0, FILES, IMPORTED_EVERY):
        name, content = mutated(seed)
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(content)
        before = ImportRun.select().count()
        try:
            source = imports.open_source(path)
        except BadFile:
            assert ImportRun.select().count() == before
            continue
        given = {"today": TODAY, "key": privacy.key(on_sqlite), "schemes": SCHEMES, "chunk": 3, "actor": "test"}
        rows = 0
        try:
            for _ in body(source):
                rows += 1
        except BadFile:
            assert source.damage
        said = ""
        try:
            imports.run(source, **given)
        except BadFile as error:
            said = error.detail
        run = ImportRun.select().order_by(ImportRun.id.desc()).get()
        assert (run.state, run.error) == (("failed", said) if source.damage else ("done", ""))
        done += 1
        counted = run.stored + run.unchanged + run.unmatched + run.rejected
        assert run.position == counted == rows == source.rows
    assert done > FILES // IMPORTED_EVERY // 5


def test_the_same_seed_makes_the_same_file_and_another_another():
    assert mutated(7) == mutated(7)
    assert len({mutated(seed) for seed in range(20)}) == 20
