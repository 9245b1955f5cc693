"""Sealing the ledger: a leaf for each row, nodes above them, signed roots, and proofs of what is in it."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from registry.config import Settings
from registry.database import execute, insert_rows, is_postgres, write
from registry.errors import ConfigError, RegistryError
from registry.models import Leaf, SealLog, SealRoot
from registry.sealing import leaves, merkle, rootfile, signing
from registry.sealing.merkle import ALGORITHMS, STEP, Frontier, Hash
from registry.sealing.signing import NOTHING, Root
from registry.services import ledger

# Leaves stored in one transaction: a few milliseconds of the write lock.
CHUNK = 1_500
# How often two sealers that met begin again before one gives up.
ATTEMPTS = 5

Progress = Callable[[int, int], None]


class SealBroken(RegistryError):
    """The ledger, the seal and the file of roots do not belong together: nothing may be signed."""

    code = "seal_broken"
    status = 500


class NotSealed(RegistryError):
    code = "not_sealed"
    status = 404


class RootNotFound(RegistryError):
    code = "root_not_found"
    status = 404


class SealAlgorithmFixed(ConfigError):
    code = "seal_algorithm_fixed"


@dataclass(frozen=True, slots=True)
class Log:
    """The log of this registry."""

    name: str
    algorithm: str
    public_key: bytes

    @property
    def hash(self) -> Hash:
        return ALGORITHMS[self.algorithm]

    @property
    def heading(self) -> dict[str, Any]:
        return rootfile.heading(self.name, self.algorithm, self.public_key)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run sealed: `rows` new ones; `size` rows are under the newest root, signed at `at` (None: no row at all)."""

    rows: int
    size: int
    root: bytes
    at: int | None


def make_log(settings: Settings, *, now: int) -> Log:
    """Make the key and the log where there is none; the one there is otherwise. Safe to repeat and to race.

    Raises SealAlgorithmFixed where `[seal] algorithm` is none, or another than that of the log.
    """
    _algorithm(settings.seal.algorithm)
    if not SealLog.select().exists():
        if ledger.head() == 0:
            # Another registry was begun here before; this one has nothing yet that its roots could tell of.
            rootfile.set_aside(signing.place(settings, settings.seal.roots_file))
        signing.make_key(settings)
        key = signing.public_bytes(signing.private_key(settings))
        with write():
            execute(
                "INSERT INTO seal_log (id, name, algorithm, public_key, created_at) VALUES (1, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO NOTHING",
                (secrets.token_hex(16), settings.seal.algorithm, key, now),
            )
    return log_of(settings)


def log_of(settings: Settings) -> Log:
    """The log of this registry. Raises SealBroken where there is none, SealAlgorithmFixed where the setting is another."""
    row = SealLog.get_or_none(SealLog.id == 1)
    if row is None:
        raise SealBroken("The ledger has no log to seal it in. Run `xinheng init`.")
    if row.algorithm != _algorithm(settings.seal.algorithm):
        raise SealAlgorithmFixed(
            f"The log was made with {row.algorithm}; [seal] algorithm says {settings.seal.algorithm}. The algorithm of a "
            f'log is never changed: set it to "{row.algorithm}" again.'
        )
    return Log(row.name, row.algorithm, bytes(row.public_key))


def _algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise SealAlgorithmFixed(f"[seal] algorithm is {name!r}. It must be one of: {', '.join(ALGORITHMS)}.")
    return name


def is_waiting() -> bool:
    """Whether there are rows that no root covers, in a registry that has a log."""
    return SealLog.select().exists() and ledger.head() > newest_size()


def newest_size() -> int:
    return int(execute("SELECT coalesce(max(size), 0) FROM seal_root").fetchone()[0])


def stored(h: Hash) -> merkle.Node:
    """The nodes of the tree as the database keeps them. Raises SealBroken where one is missing."""

    def node(level: int, number: int) -> bytes:
        over = level % STEP
        base, first, count = level - over, number << over, 1 << over
        sql = (
            "SELECT hash FROM leaf WHERE seq > ? AND seq <= ? ORDER BY seq"
            if base == 0
            else "SELECT hash FROM seal_node WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
        )
        rows = execute(sql, (first, first + count) if base == 0 else (base, first, first + count)).fetchall()
        if len(rows) != count:
            raise SealBroken(
                f"Of the seal of rows {(first << base) + 1} to {first + count << base} something is missing. "
                "`xinheng verify` says what."
            )
        return merkle.fold(h, [bytes(row[0]) for row in rows])

    return node


def rows_between(low: int, high: int) -> list[leaves.Row]:
    """Ledger rows `low` < seq ≤ `high` as leaves cover them, in order. Raises SealBroken where one is missing."""
    sql = f"SELECT {leaves.ROW_SQL} FROM {leaves.ROW_FROM} WHERE r.seq > ? AND r.seq <= ? ORDER BY r.seq"  # noqa: S608
    found = execute(sql, (low, high)).fetchall()
    moments = moments_of(low, high)
    if len(found) != high - low or len(moments) != high - low:
        raise SealBroken(
            f"Of ledger rows {low + 1} to {high} only {len(found)} are there. Nothing was signed; `xinheng verify` says more."
        )
    return [leaves.read(values, at) for values, at in zip(found, moments, strict=True)]


def moments_of(low: int, high: int) -> list[int]:
    """The moment of each row `low` < seq ≤ `high`: that of the first entry of `moment` at or after it."""
    given: list[int] = []
    # Entries up to the last row, and the one that covers it.
    rows = execute("SELECT seq, at FROM moment WHERE seq > ? AND seq <= ? ORDER BY seq", (low, high)).fetchall()
    if not rows or rows[-1][0] < high:
        rows += execute("SELECT seq, at FROM moment WHERE seq > ? ORDER BY seq LIMIT 1", (high,)).fetchall()
    for seq, at in rows:
        given += [at] * (min(seq, high) - low - len(given))
    return given


def seal(settings: Settings, *, now: Callable[[], int], progress: Progress | None = None) -> Sealed:
    """Seal every row of the ledger: leaves in short transactions, then one signed root over all, exported to its file.

    Safe to repeat, to race and to be killed: leaves that are there are kept, a root that is not in the file yet is
    appended by the next run. Raises SealKeyMissing; SealBroken, and signs nothing, where rows or leaves are missing, or
    where the file of roots knows of rows that the database does not (it was set back to an old backup).
    """
    log = log_of(settings)
    key = signing.private_key(settings)
    if signing.public_bytes(key) != log.public_key:
        raise SealBroken(
            "The key of the seal is not the one that the log was made with. Put the backed-up key back ([seal] key_file)."
        )
    check_file(settings, log)
    for _ in range(ATTEMPTS):
        done = _grow(log, progress)
        if done is None:
            continue
        before, tree = done
        made = _sign(log, key, tree, now) if tree.size > newest_size() else True
        if made:
            export(settings, log)
            last = newest(log)
            if last is None:
                return Sealed(0, 0, tree.root(), None)
            return Sealed(tree.size - before, last.size, last.root, last.at)
    raise SealBroken("Others seal at the same time, again and again. Try again in a minute.")


def check_file(settings: Settings, log: Log) -> None:
    """Raise SealBroken unless the file of roots ends with a root that the database has, or is not there yet."""
    path = signing.place(settings, settings.seal.roots_file)
    try:
        known = rootfile.last(path)
        first = next(rootfile.lines(path), None) if known is not None else None
    except OSError as error:
        raise SealBroken(
            f"The file of roots, {path.name}, cannot be read: {error.strerror}. Mend [seal] roots_file."
        ) from error
    if first is None or known is None:
        return
    if first.heading != log.heading:
        raise SealBroken(
            f"The file of roots, {path.name}, belongs to another log. Name a file of its own for each registry ([seal] roots_file)."
        )
    if known.root is None:
        return
    row = SealRoot.get_or_none(SealRoot.size == known.root.size)
    if row is None or root_from(log, row) != known.root:
        raise SealBroken(
            f"The file of roots knows a root of {known.root.size} rows that the database does not have: the database was "
            "changed, or set back to an older backup. Nothing was signed. Run `xinheng verify`; docs/sealing.md says how "
            "to go on after a restore."
        )


def _grow(log: Log, progress: Progress | None) -> tuple[int, Frontier] | None:
    """Store the leaves that are missing; the number of rows before, and the tree. None where another sealer came between."""
    h = log.hash
    head = ledger.head()
    before = newest_size()
    done = int(execute("SELECT coalesce(max(seq), 0) FROM leaf").fetchone()[0])
    if done > head or before > done:
        raise SealBroken(
            f"{max(done, before)} rows were sealed and the ledger stands at {head}, its leaves at {done}: something was "
            "removed. Nothing was signed; `xinheng verify` says what."
        )
    tree = Frontier.resume(h, done, stored(h))
    while done < head:
        until = min(done + CHUNK, head)
        made, nodes = _leaves(h, rows_between(done, until), tree)
        with write():
            _lock()
            if int(execute("SELECT coalesce(max(seq), 0) FROM leaf").fetchone()[0]) != done:
                return None
            insert_rows("leaf", ("seq", "at", "salt", "hash"), made)
            insert_rows("seal_node", ("level", "number", "hash"), nodes)
        done = until
        if progress is not None:
            progress(done - before, head - before)
    return before, tree


def _leaves(
    h: Hash, rows: Sequence[leaves.Row], tree: Frontier
) -> tuple[list[tuple[int, int, bytes, bytes]], list[tuple[int, int, bytes]]]:
    made: list[tuple[int, int, bytes, bytes]] = []
    nodes: list[tuple[int, int, bytes]] = []
    random = secrets.token_bytes(leaves.SALT * len(rows))
    for number, row in enumerate(rows):
        salt = random[number * leaves.SALT : (number + 1) * leaves.SALT]
        digest = leaves.leaf(h, row, leaves.salts(h, salt, row.detail))
        made.append((row.seq, row.at, salt, digest))
        nodes += tree.push(digest)
    return made, nodes


def _lock() -> None:
    """One sealer at a time; on SQLite the transaction itself is the lock."""
    if is_postgres():
        execute("SELECT id FROM seal_log WHERE id = 1 FOR UPDATE")


def _sign(log: Log, key: Any, tree: Frontier, now: Callable[[], int]) -> bool:
    with write():
        _lock()
        last = newest(log)
        if last is not None and last.size >= tree.size:
            return last.size == tree.size
        at = now() if last is None else max(last.at, now())
        previous = NOTHING if last is None else last.digest(log.hash)
        root = Root(log.name, log.algorithm, tree.size, tree.root(), at, previous)
        columns = ("size", "root", "at", "previous", "signature")
        insert_rows("seal_root", columns, [(root.size, root.root, at, previous, signing.sign(key, root))])
    return True


def export(settings: Settings, log: Log) -> int:
    """Append the roots that the file lacks; how many. Raises SealBroken where the file cannot be written."""
    path = signing.place(settings, settings.seal.roots_file)
    try:
        known = rootfile.last(path)
        size = known.root.size if known is not None and known.root is not None else 0
        return rootfile.append(path, log.heading, roots_after(log, size))
    except OSError as error:
        raise SealBroken(
            f"The root was signed, and could not be appended to {path.name}: {error.strerror}. Mend [seal] roots_file; the "
            "next run appends it."
        ) from error


def roots_after(log: Log, size: int) -> Iterator[Root]:
    """The signed roots of the database that are larger than `size`, in order; read piece by piece."""
    while True:
        rows = list(SealRoot.select().where(SealRoot.size > size).order_by(SealRoot.size).limit(1_000))
        for row in rows:
            yield root_from(log, row)
            size = row.size
        if len(rows) < 1_000:
            return


def newest(log: Log) -> Root | None:
    """The newest signed root, or None before the first."""
    row = SealRoot.select().order_by(SealRoot.size.desc()).first()
    return None if row is None else root_from(log, row)


def root_of(log: Log, size: int) -> Root:
    """The signed root over the first `size` rows. Raises RootNotFound."""
    row = SealRoot.get_or_none(SealRoot.size == size)
    if row is None:
        raise RootNotFound(
            f"No signed root covers exactly {size} rows. GET /api/v1/ledger/roots lists the sizes that there are."
        )
    return root_from(log, row)


def root_from(log: Log, row: Any) -> Root:
    return Root(log.name, log.algorithm, row.size, bytes(row.root), row.at, bytes(row.previous), bytes(row.signature))


def leaf_of(seq: int) -> Leaf | None:
    found: Leaf | None = Leaf.get_or_none(Leaf.seq == seq)
    return found
