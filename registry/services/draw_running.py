"""Running a draw 抽取: the witness's words are bound, then list, visits and inspectors follow from them, and nobody has a say any more.

A draw of a city makes thirteen thousand visits, and no write transaction may last longer than some 30 ms. So it is written
in chunks that can be resumed; until the last one the list has the size 0, and the draw is not drawn: nobody reads a list or
works a visit of it before all of it is there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from registry.database import execute, in_slices, insert_rows, is_postgres
from registry.database import write as writing
from registry.models import Draw, InspectionList
from registry.services import (
    audit,
    draw_candidates,
    draw_minutes,
    draws,
    ledger,
    list_order,
    list_tour,
    tasks,
    visit_rows,
)
from registry.services.draw_candidates import Frozen
from registry.services.draw_errors import STATES, DrawConflict, DrawRefused, NoTeam, spoken
from registry.services.draws import DRAWN, locked
from registry.services.tasks import Desk
from rules import draw as lots
from rules.draw import DrawError, Minutes, NotEnoughInspectors

# Visits in one transaction: some 20 ms on SQLite.
CHUNK = 250
MILLION = 1_000_000
ROW = (
    "list_id", "position", "entity", "tour", "code", "name", "kind", "division", "address", "class", "score", "chance", "harm",
    "items", "graded_day", "reasons",
)  # fmt: skip


def run(
    number: int, *, witness: str, token_seed: bytes, desk: Desk, tell: Callable[[int, int | None], None] | None = None
) -> tuple[Draw, bool]:
    """Draw, once the witness has spoken: who is visited, and by whom; list, visits and minutes are written.

    `witness` is what was said in public after the announcement (for example numbers that somebody threw: what, who, when), at
    least six characters besides blanks. It is bound at once and for ever: other words are refused from then on. `token_seed` are 32 secret random bytes for the codes
    of the notices. Safe to repeat, also where it was cut off: it goes on where it stopped, and a draw that is drawn is returned
    unchanged (second value False).
    Raises DrawNotFound, TaskElsewhere, TaskNotApproved; DrawRefused without witness; DrawConflict for other words than those
    that are bound, or a draw that is void; NoTeam where nobody can be sent to a visit.
    """
    draw, before = _bound(number, spoken(witness), desk)
    if before:
        return draw, False
    frozen = draw_candidates.thaw(draw)
    if draw.minutes is None:
        _keep_minutes(draw, _minutes(draw, frozen), desk)
    draw = Draw.get_by_id(number)
    minutes = draw_minutes.read(draw)
    made: InspectionList = InspectionList.get(InspectionList.draw == number)
    rows = _rows(draw, frozen, minutes)
    for first in range(0, len(rows), CHUNK):
        _write(draw, made, frozen, rows[first : first + CHUNK], token_seed, desk)
        if tell is not None:
            tell(min(first + CHUNK, len(rows)), len(rows))
    return _finish(draw, made, minutes, desk)


def inclusion(there: int, size: int) -> int:
    """The probability with which one of `there` was among the `size` drawn, in millionths, to the nearest."""
    return (2 * MILLION * size + there) // (2 * there)


def stuck(draw: Draw) -> bool:
    """Whether a draw whose witness has spoken cannot be carried out: nobody can be sent. It is worked out, not remembered."""
    if draw.minutes is not None:
        return False
    try:
        _minutes(draw, draw_candidates.thaw(draw))
    except NoTeam:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Row:
    """One visit as it is written; `place` is that of the candidate in the frozen list."""

    position: int
    place: int
    stratum: str
    inclusion: int
    inspectors: tuple[tuple[str, int], ...]  # organ, id


def _bound(number: int, witness: str, desk: Desk) -> tuple[Draw, bool]:
    """The draw with the witness's words bound to it, and whether it was drawn before."""
    with writing():
        draw = locked(number, desk)
        if draw.witness and draw.witness != witness:
            raise DrawConflict(
                f"The witness of draw {number} has spoken already, in other words: “{draw.witness[:200]}”. Run it with these; whoever could "
                "choose among several would choose the result."
            )
        if draw.state in ("drawn", "revealed"):
            return draw, True
        if draw.state == "void":
            raise DrawConflict(
                f"Draw {number} is void ({STATES['void']}): {draw.void_why} Commit to another under the task."
            )
        tasks.approved(draw.task)
        if not draw.witness:
            draw.witness = witness
            Draw.update(witness=witness, drawn_by=desk.actor[:64]).where(Draw.id == number).execute()
            audit.note("draw.witnessed", actor=desk.actor, subject=f"draw {number}", now=desk.now)
        return draw, False


def _minutes(draw: Draw, frozen: Frozen) -> Minutes:
    try:
        drawn = lots.draw(frozen.frame, bytes.fromhex(draw.seed), draw.witness)
        places = {frozen.shown["code"][place]: place for place in drawn.places}
        lies = _addresses([frozen.shown["entity"][place] for place in drawn.places])
        tour = sorted(
            ((code, frozen.shown["division"][place]) for code, place in places.items()),
            key=lambda stop: list_tour.key(stop[1], lies.get(frozen.shown["entity"][places[stop[0]]], ""), stop[0]),
        )
        return lots.full_minutes(frozen.frame, drawn, tour)
    except NotEnoughInspectors as error:
        raise NoTeam(
            f"{error} The witness of draw {draw.id} has spoken, so this is its result: `xinheng draw void {draw.id}` (POST "
            f"/api/v1/draws/{draw.id}/void) declares it void, with a reason that the public reads."
        ) from error
    except DrawError as error:
        raise DrawRefused(str(error)) from error


def _addresses(entities: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in in_slices(entities):
        sql = f"SELECT id, address FROM entity WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608 (marks)
        found |= dict(execute(sql, part).fetchall())
    return found


def _keep_minutes(draw: Draw, minutes: Minutes, desk: Desk) -> None:
    """Store the minutes, from which all that is written follows, with an empty list that is not shown yet."""
    stored = lots.packed(minutes)
    with writing():
        # Somebody else may have run it meanwhile: what he stored is the same, to the byte, but for where entities lie.
        if locked(draw.id, desk).minutes is not None:
            return
        Draw.update(minutes=stored, minutes_digest=minutes["digest"]).where(Draw.id == draw.id).execute()
        InspectionList.create(
            task=draw.task, draw=draw, scheme=draw.scheme, filters=draw.filters, known=draw.known, size=0,
            created_by=desk.actor[:64], created_at=desk.now,
        )  # fmt: skip


def _rows(draw: Draw, frozen: Frozen, minutes: Minutes) -> list[_Row]:
    """The visits in order of the tour, which tells nothing of a class: so do their places on the list and their numbers."""
    places = {code: place for place, code in enumerate(frozen.shown["code"])}
    goes = {
        code: tuple((organ, frozen.ids[organ, one]) for organ, sent in sorted(team.inspectors.items()) for one in sent)
        for team in lots.teams_of(minutes)
        for code in team.codes
    }
    chance = {name: inclusion(there, size) for name, (there, size) in minutes["strata"].items()}
    strata = frozen.shown["stratum"]
    return [
        _Row(position, places[code], strata[places[code]], chance[strata[places[code]]], goes[code])
        for position, (code, _) in enumerate(minutes["tour"], start=1)
    ]


def _write(
    draw: Draw, made: InspectionList, frozen: Frozen, rows: Sequence[_Row], token_seed: bytes, desk: Desk
) -> None:  # fmt: skip
    """One chunk: list rows, visits, and who goes, in one transaction. What is there already is left alone."""
    entities = [frozen.shown["entity"][row.place] for row in rows]
    with writing():
        # Not the whole row: the frozen candidates in it are megabytes.
        state = execute(f"SELECT state FROM draw WHERE id = ?{' FOR UPDATE' if is_postgres() else ''}", (draw.id,)).fetchone()  # noqa: S608 (ours)  # fmt: skip
        sql = "SELECT 1 FROM inspection_list_row WHERE list_id = ? AND position = ?"
        if state[0] != "committed" or execute(sql, (made.id, rows[-1].position)).fetchone() is not None:
            return
        insert_rows("inspection_list_row", ROW, _listed(made, draw, frozen, rows, entities, desk))
        visits = visit_rows.write(
            made, draw.task,
            [(row.position, entity, "draw", row.inclusion, row.stratum) for row, entity in zip(rows, entities, strict=True)],
            token_seed=token_seed, now=desk.now,
        )  # fmt: skip
        going = list(zip(visits, rows, strict=True))
        insert_rows(
            "visit_inspector", ("visit_id", "inspector_id", "organ", "round", "active"),
            [(visit, one, organ, 0, True) for visit, row in going for organ, one in row.inspectors],
        )  # fmt: skip
        insert_rows(
            "visit_step", ("visit_id", "number", "act", "by", "at", "said", "detail"),
            [(visit, 1, "assigned", desk.actor[:64], desk.now, "", _told(draw, row)) for visit, row in going],
        )  # fmt: skip
        between = "UPDATE visit SET state = 'assigned' WHERE list_id = ? AND position BETWEEN ? AND ?"
        execute(between, (made.id, rows[0].position, rows[-1].position))


def _told(draw: Draw, row: _Row) -> str:
    return orjson.dumps({"draw": draw.id, "inspectors": [one for _, one in row.inspectors]}).decode()


def _listed(
    made: InspectionList, draw: Draw, frozen: Frozen, rows: Sequence[_Row], entities: Sequence[int], desk: Desk
) -> list[tuple[object, ...]]:
    """Rows of the list: name and address as they are now, class and score as they were committed to. The reasons of a class
    are one call away; for thirteen thousand entities they are not worked out here."""
    marks = ", ".join("?" * len(entities))
    sql = f"SELECT id, name, kind, division, address FROM entity WHERE id IN ({marks})"  # noqa: S608 (marks)
    who = {row[0]: row[1:] for row in execute(sql, entities).fetchall()}
    kinds = [{"entity": entity, "kind": said[1]} for entity, said in who.items()]
    items = list_order.applying(kinds, draw.task.checklist, desk.today)
    shown = frozen.shown
    found: list[tuple[object, ...]] = []
    for row, entity in zip(rows, entities, strict=True):
        name, kind, division, address = who[entity]
        of = row.place
        found.append(
            (made.id, row.position, entity, row.position, shown["code"][of], name, kind, division, address, shown["class"][of],
             shown["score"][of], shown["chance"][of], 0, orjson.dumps(items[entity]).decode(), shown["graded"][of], "[]")
        )  # fmt: skip
    return found


def _finish(draw: Draw, made: InspectionList, minutes: Minutes, desk: Desk) -> tuple[Draw, bool]:
    """All of it is there: the list is shown, the draw is drawn, and the digest of the minutes stands on the ledger."""
    with ledger.writing(now=desk.now, schemes=[]) as pen:
        found = locked(draw.id, desk)
        if found.state != "committed":
            return found, False
        insert_rows(
            "draw_stratum", ("draw_id", "stratum", "class", "candidates", "size"),
            [(draw.id, one["stratum"], one["class"], one["candidates"], one["size"]) for one in draw.plan["strata"]],
        )  # fmt: skip
        InspectionList.update(size=draw.size).where(InspectionList.id == made.id).execute()
        said = {"witness": draw.witness, "digest": minutes["digest"], "size": draw.size}
        found.drawn_seq = draws.step(pen, found, DRAWN, said, desk)
        found.state, found.drawn_at = "drawn", desk.now
        Draw.update(state="drawn", drawn_at=desk.now, drawn_seq=found.drawn_seq).where(Draw.id == draw.id).execute()
        audit.note(
            "draw.drawn", actor=desk.actor, subject=f"draw {draw.id}", now=desk.now, seq=found.drawn_seq, size=draw.size,
            list=made.id,
        )  # fmt: skip
    return found, True
