"""Draws, lists and results, held against the ledger: who was visited, with which probability and with what result may not say
what neither a step, the minutes, nor a record says.

A draw is drawn again from what was committed to. A pulled list stands on no row of the ledger: it is held against itself.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from registry.cells.documents import fold_document_no
from registry.database import execute
from registry.kinds.spot_check import FOUND
from registry.models import Draw
from registry.services import aliases, draw_candidates, draw_minutes, draw_running, list_slice
from registry.services.draw_candidates import Frozen
from registry.services.draws import COMMITTED, DRAWN, REDRAWN, REVEALED, VOID
from registry.services.result_review import NUMBER, WITH_A_CHANCE, number_of_ids
from rules import draw as lots
from rules.draw import DrawError, Minutes

ABOUT = "draw:"
STATES = {COMMITTED: "committed", DRAWN: "drawn", REDRAWN: "drawn", REVEALED: "revealed", VOID: "void"}
# Results that are compared at once.
SLICE = 2_000
# A stored draw that was changed may fail to be read in any of these ways.
UNREADABLE = (zlib.error, ValueError, KeyError, IndexError, TypeError, AttributeError)
Step = tuple[int, str, dict[str, Any]]


def differences() -> Iterator[str]:
    """What of draws, lists and results does not follow from the ledger, in words; nothing where all is in order.

    What was lawfully erased of a step or record is not compared. A draw of a city takes some seconds.
    """
    steps = _steps()
    numbers = [number for (number,) in execute("SELECT id FROM draw ORDER BY id").fetchall()]
    for whose in sorted(set(steps) - {f"{ABOUT}{number}" for number in numbers}):
        yield f"draw: the ledger tells of a draw ({whose}) that the table does not have"
    for number in numbers:
        for text in _draw(Draw.get_by_id(number), steps.get(f"{ABOUT}{number}", [])):
            yield f"draw {number}: {text}"
    yield from _pulled()
    yield from _results()


def _steps() -> dict[str, list[Step]]:
    """The steps of every draw in the order of the ledger, by what they are about."""
    found: dict[str, list[Step]] = {}
    sql = (
        f"SELECT seq, kind, about, CAST(detail AS text) FROM record WHERE act = 'step' AND kind IN ({', '.join('?' * len(STATES))}) "  # noqa: S608
        "ORDER BY seq"
    )
    for seq, kind, about, text in execute(sql, list(STATES)).fetchall():
        found.setdefault(about, []).append((seq, kind, _object(text)))
    return found


def _draw(draw: Draw, steps: list[Step]) -> Iterator[str]:
    if not steps or steps[0][1] != COMMITTED:
        yield "no step of the ledger announces it"
        return
    yield from _told(draw, steps)
    try:
        yield from _drawn_again(draw, steps)
    except DrawError as error:
        yield f"it cannot be drawn again: {error}"
    except UNREADABLE:
        yield "what was frozen of it, or its minutes, cannot be read: it was altered"


def _told(draw: Draw, steps: list[Step]) -> Iterator[str]:
    """The columns that steps tell."""
    seq, _, announced = steps[0]
    expected: dict[str, Any] = {"committed_seq": seq, "state": STATES[steps[-1][1]], "task_id": announced.get("task")}
    expected |= {name: announced.get(name) for name in ("algorithm", "commitment", "root", "pool")}
    for seq, kind, detail in steps[1:]:
        if kind == DRAWN:
            expected |= {"drawn_seq": seq, "witness": detail.get("witness"), "size": detail.get("size")}
        if kind in (DRAWN, REDRAWN):
            expected["minutes_digest"] = detail.get("digest")
        if kind == VOID:
            expected["void_why"] = detail.get("reason")
        if kind == REVEALED:
            expected["seed"] = detail.get("seed")
    for name, value in expected.items():
        # None: that word of the step was lawfully erased.
        if value is not None and getattr(draw, name) != value:
            yield f"{name} is not what the ledger says"


def _drawn_again(draw: Draw, steps: list[Step]) -> Iterator[str]:
    frozen = draw_candidates.thaw(draw)
    announced = lots.announce(frozen.frame, bytes.fromhex(draw.seed))
    if announced.commitment != draw.commitment:
        yield "its seed is not the one that was committed to"
    if announced.root != draw.root:
        yield "its candidates, strata, sizes or inspectors are not those that were committed to"
    if STATES[steps[-1][1]] not in ("drawn", "revealed"):
        return
    minutes = draw_minutes.read(draw)
    if lots.digest(draw.algorithm, minutes) != draw.minutes_digest:
        yield "its minutes are not those whose digest stands on the ledger"
    drawn = lots.draw(frozen.frame, bytes.fromhex(draw.seed), draw.witness)
    again = lots.full_minutes(frozen.frame, drawn, [(code, division) for code, division in minutes["tour"]])
    for _, code, organ, out, _, why in minutes["rounds"]:
        again, _ = lots.another_round(again, code=code, out=(organ, out), why=why)
    if again != minutes:
        yield "its minutes are not what list, seed and witness give"
    yield from _rounds(draw, minutes, frozen, [seq for seq, kind, _ in steps if kind == REDRAWN])
    yield from _visits(draw, minutes, frozen)


def _rounds(draw: Draw, minutes: Minutes, frozen: Frozen, seqs: list[int]) -> Iterator[str]:
    strata = execute("SELECT stratum, candidates, size FROM draw_stratum WHERE draw_id = ?", (draw.id,)).fetchall()
    if {name: [there, size] for name, there, size in strata} != minutes["strata"]:
        yield "its table of strata is not that of the minutes"
    rows = execute('SELECT round, "out", "into", why, seq FROM draw_round WHERE draw_id = ? ORDER BY round', (draw.id,))
    said = [
        (number, frozen.ids[organ, out], frozen.ids[organ, into], why, seq)
        for (number, _, organ, out, into, why), seq in zip(minutes["rounds"], seqs, strict=False)
    ]
    if [tuple(row) for row in rows.fetchall()] != said or len(seqs) != len(minutes["rounds"]):
        yield "its table of recusals is not that of the minutes"


def _visits(draw: Draw, minutes: Minutes, frozen: Frozen) -> Iterator[str]:
    """The list, the visits and who goes on them, as the minutes give them."""
    lists = execute("SELECT id, size FROM inspection_list WHERE draw_id = ?", (draw.id,)).fetchall()
    tour = [code for code, _ in minutes["tour"]]
    if not lists or lists[0][1] != len(tour):
        yield "its list is not as long as its tour, or is not there"
        return
    made = lists[0][0]
    rows = {
        row[0]: tuple(row[1:])
        for row in execute(
            'SELECT position, code, entity, "class" FROM inspection_list_row WHERE list_id = ?', (made,)
        ).fetchall()
    }
    visits = {
        row[1]: row
        for row in execute(
            "SELECT id, position, entity, slice, inclusion, stratum, state FROM visit WHERE list_id = ?", (made,)
        ).fetchall()
    }
    going = _going(draw, minutes, frozen, made)
    shown = frozen.shown
    places = {code: place for place, code in enumerate(shown["code"])}
    for position, code in enumerate(tour, start=1):
        place = places[code]
        entity, stratum = shown["entity"][place], shown["stratum"][place]
        if rows.get(position) != (code, entity, shown["class"][place]):
            yield f"row {position} of list {made} is not {code}, whom it drew"
        visit = visits.get(position)
        if visit is None:
            yield f"the visit to {code}, whom it drew, was removed"
            continue
        if tuple(visit[2:6]) != (entity, "draw", draw_running.inclusion(*minutes["strata"][stratum]), stratum):
            yield f"visit {visit[0]} to {code} has another entity, slice, probability or stratum than was drawn"
        if not going(visit[0], code, visit[6]):
            yield f"visit {visit[0]} to {code} has other inspectors than were drawn"
    if extra := sorted((set(rows) | set(visits)) - set(range(1, len(tour) + 1))):
        yield f"list {made} has a place {extra[0]} that was not drawn, {len(extra)} in all"


def _going(draw: Draw, minutes: Minutes, frozen: Frozen, made: int) -> Any:
    """Whether a visit has the inspectors that the minutes give it: those first drawn, but for its own recusals.

    A recusal takes somebody out of the visits of a day that nobody has begun; the others are as they were.
    """
    where = "FROM visit v JOIN {} WHERE v.list_id = ?"
    there: dict[int, set[tuple[str, int]]] = {}
    sql = (
        "SELECT v.id, i.organ, i.inspector_id "
        + where.format("visit_inspector i ON i.visit_id = v.id")
        + " AND i.active"
    )
    for visit, organ, inspector in execute(sql, (made,)).fetchall():
        there.setdefault(visit, set()).add((organ, inspector))
    changed: dict[int, list[tuple[int, int]]] = {}
    sql = "SELECT v.id, CAST(s.detail AS text) " + where.format("visit_step s ON s.visit_id = v.id") + " AND s.act = 'redrawn' ORDER BY s.number"  # fmt: skip
    for visit, text in execute(sql, (made,)).fetchall():
        detail = _object(text)
        changed.setdefault(visit, []).append((detail["out"][0], detail["in"][0]))
    first = {code: team for team in lots.teams_of({**minutes, "rounds": []}) for code in team.codes}
    rounds: dict[tuple[str, ...], list[tuple[str, int, int]]] = {}
    for _, code, organ, out, into, _ in minutes["rounds"]:
        rounds.setdefault(first[code].codes, []).append((organ, frozen.ids[organ, out], frozen.ids[organ, into]))

    def holds(visit: int, code: str, state: str) -> bool:
        team = first[code]
        wanted = {(organ, frozen.ids[organ, one]) for organ, sent in team.inspectors.items() for one in sent}
        steps = changed.get(visit, [])
        for organ, out, into in rounds.get(team.codes, []):
            if (out, into) in steps:
                wanted = (wanted - {(organ, out)}) | {(organ, into)}
            elif state in ("open", "assigned"):
                return False
        return {one for one in there.get(visit, set()) if one[0] in team.inspectors} == wanted

    return holds


def _pulled() -> Iterator[str]:
    """Lists that were pulled: as many visits as rows as it says, and in its random slice as many as its probability needs."""
    sql = (
        "SELECT l.id, l.size, l.slice_size, l.slice_pool, count(v.id), "
        "count(CASE WHEN v.slice = 'random' THEN 1 END), min(CASE WHEN v.slice = 'random' THEN v.inclusion END), "
        "max(CASE WHEN v.slice = 'random' THEN v.inclusion END), "
        "(SELECT count(*) FROM inspection_list_row r WHERE r.list_id = l.id), "
        "count(CASE WHEN r.entity = v.entity THEN 1 END) "
        "FROM inspection_list l LEFT JOIN visit v ON v.list_id = l.id "
        "LEFT JOIN inspection_list_row r ON r.list_id = l.id AND r.position = v.position "
        "WHERE l.draw_id IS NULL GROUP BY l.id, l.size, l.slice_size, l.slice_pool ORDER BY l.id"
    )
    for number, size, drawn, pool, visits, random, least, most, rows, same in execute(sql).fetchall():
        if not size == visits == rows:
            yield f"inspection_list {number}: says {size} rows, and there are {rows} with {visits} visits"
        elif same != visits:
            yield f"inspection_list {number}: {visits - same} of its visits are to others than its rows name"
        if random != drawn:
            yield f"inspection_list {number}: says that {drawn} were drawn by lot, and there are {random}"
        elif drawn and not least == most == list_slice.inclusion(drawn, pool):
            yield f"inspection_list {number}: visits of its random slice have another probability than {drawn} of {pool}"


def _results() -> Iterator[str]:
    """Approved results against the records that they became, and records of results that the table does not have."""
    after = 0
    while True:
        ids = execute(
            "SELECT DISTINCT visit_id FROM visit_result WHERE visit_id > ? ORDER BY visit_id LIMIT ?", (after, SLICE)
        )
        numbers = [number for (number,) in ids.fetchall()]
        if not numbers:
            break
        sql = (
            "SELECT x.visit_id, x.organ, x.outcome, x.serious_found, x.problems_found, x.minor_found, CAST(v.visited_on AS text), "
            "v.entity, v.task_id, v.slice, v.inclusion, r.kind, r.identity, x.identity, r.code, r.organ, r.document_no, "
            "CAST(r.happened_on AS text), r.entity_id, CAST(r.detail AS text) FROM visit_result x JOIN visit v ON v.id = x.visit_id "
            "LEFT JOIN record r ON r.seq = x.seq WHERE x.visit_id BETWEEN ? AND ? AND x.state IN ('approved', 'published') "
            "ORDER BY x.visit_id, x.organ"
        )
        for row in execute(sql, (numbers[0], numbers[-1])).fetchall():
            yield from _result(row)
        after = numbers[-1]
    sql = (
        "SELECT r.seq, r.document_no, r.organ FROM record r LEFT JOIN visit_result x ON x.identity = r.identity "
        "WHERE r.kind = 'spot_check' AND r.act = 'state' AND r.document_no LIKE ? AND x.visit_id IS NULL ORDER BY r.seq"
    )
    for seq, document_no, organ in execute(sql, (f"{fold_document_no(NUMBER)}%",)).fetchall():
        yield f"visit_result: row {seq} of the ledger is the result {document_no} of {organ}, and the table does not have it"


def _result(row: tuple[Any, ...]) -> Iterator[str]:
    (visit, organ, outcome, *counts, day, entity, task, slice_, inclusion, kind, identity, known_as, code, whose, number, checked,
     about, text) = row  # fmt: skip
    name = f"visit_result {visit} {organ}"
    if kind != "spot_check" or identity != known_as:
        yield f"{name}: is approved, and no record of the ledger says so"
        return
    detail = _object(text)
    said = {"outcome": (outcome, code), "organ": (organ, whose), "day of the visit": (day, checked)}
    said["number"] = (fold_document_no(number_of_ids(task, visit)), number)
    for found, count in zip(("serious_found", "problems_found", "minor_found"), counts, strict=True):
        assert found in FOUND
        said[found] = (count, detail.get(found, count))
    if detail:  # else it was lawfully erased
        said["probability"] = (inclusion if slice_ in WITH_A_CHANCE and inclusion else None, detail.get("inclusion"))
    for what, (held, told) in said.items():
        if held != told:
            yield f"{name}: {what} is not what the ledger says"
    if about != entity and aliases.root(about) != aliases.root(entity):
        yield f"{name}: its visit is to another entity than its record"


def _object(text: str) -> dict[str, Any]:
    """The detail of a row; empty where it was made unreadable, which the leaf tells."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
