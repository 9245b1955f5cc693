"""Recusal 回避 after a draw: who may not go leaves, and another is drawn by the same key, on record and in the minutes."""

from registry.database import execute
from registry.models import Draw, DrawRound, InspectionListRow, Inspector, Visit, VisitInspector
from registry.services import audit, draw_minutes, draws, inspectors, ledger, tasks, visits
from registry.services.draw_errors import STATES, DrawConflict, DrawRefused, NoTeam, words
from registry.services.draws import REDRAWN, get, lock
from registry.services.tasks import Desk
from rules import draw as lots
from rules.draw import DrawError, Minutes, NotEnoughInspectors

# States of a visit in which others may still go.
BEFORE = ("open", "assigned")


def recuse(number: int, *, visit: int, inspector: int, why: str, desk: Desk) -> tuple[DrawRound, bool]:
    """Let an inspector leave the day's work that holds a visit, and draw another of his organ by the same key.

    His conflict of interest with the entity is kept, so that no later draw sends him there. It can be repeated for who comes
    instead; each is a round of its own. Safe to repeat: the recusal of who left already is returned unchanged (second value
    False). A desk of an organ recuses its own inspectors, also as a partner.
    Raises DrawNotFound, VisitNotFound, InspectorNotFound; DrawRefused without a reason or for who does not go; DrawConflict
    where the visit was begun or the draw is not drawn, or is revealed; NoTeam where nobody else can be sent.
    """
    said = words(why, "why", "why he may not check this entity")
    # What takes long is worked out before the transaction, and again where somebody else was faster.
    while True:
        draw = get(number, organ=desk.organ)
        if (done := _before(draw, visit, inspector)) is not None:
            return done, False
        leaving = inspectors.get(inspector, organ=desk.organ)
        code = _code(draw, visit, desk)
        minutes, team = _another(draw, leaving, code, said)
        made = _keep(draw, minutes, team, visit, leaving, said, desk)
        if made is not None:
            return made, True


def _before(draw: Draw, visit: int, inspector: int) -> DrawRound | None:
    """The round in which he left this visit already, unless he goes again."""
    found = DrawRound.get_or_none(
        (DrawRound.draw == draw.id) & (DrawRound.visit == visit) & (DrawRound.out == inspector)
    )
    assert found is None or isinstance(found, DrawRound)
    return found


def _code(draw: Draw, visit: int, desk: Desk) -> str:
    """The credit code of a visit of this draw that nobody has begun."""
    if draw.state != "drawn":
        raise DrawConflict(f"Draw {draw.id} is {draw.state} ({STATES[draw.state]}): inspectors are recused from what is drawn and not closed.")  # fmt: skip
    row = visits.get(visit, organ=desk.organ)
    if row.list.draw_id != draw.id:
        raise DrawRefused(f"Visit {visit} was not drawn by draw {draw.id}. Name one of its visits: GET /api/v1/visits?list= shows them.")  # fmt: skip
    _not_begun(row)
    found = InspectionListRow.get(
        (InspectionListRow.list == row.list_id) & (InspectionListRow.position == row.position)
    )
    return str(found.code)


def _not_begun(row: Visit) -> None:
    if row.state not in BEFORE:
        raise DrawConflict(f"Visit {row.id} is {row.state} ({visits.STATES[row.state]}): who may go is changed before it is begun.")  # fmt: skip


def _another(draw: Draw, leaving: Inspector, code: str, why: str) -> tuple[Minutes, lots.Team]:
    out = (leaving.organ, leaving.staff_no)
    try:
        return lots.another_round(draw_minutes.full(draw), code=code, out=out, why=why)
    except NotEnoughInspectors as error:
        raise NoTeam(
            f"{error} The recusal is not recorded. Record it once somebody can be sent: a non-response of the visit "
            "otherwise says why it was not made."
        ) from error
    except DrawError as error:
        raise DrawRefused(str(error)) from error


def _keep(
    draw: Draw, minutes: Minutes, team: lots.Team, visit: int, leaving: Inspector, why: str, desk: Desk
) -> DrawRound | None:
    """Write a round; None where the minutes were changed meanwhile."""
    stored = lots.packed(minutes)
    number, _, organ, _, into, _ = minutes["rounds"][-1]
    coming = Inspector.get((Inspector.organ == organ) & (Inspector.staff_no == into))
    with ledger.writing(now=desk.now, schemes=[]) as pen:
        found = lock(draw.id)
        if found.minutes_digest != draw.minutes_digest or found.state != "drawn":
            return None
        tasks.approved(found.task)
        named = visits.locked(visit, desk)
        _not_begun(named)
        entity = named.entity
        execute(
            "INSERT INTO inspector_conflict (inspector_id, entity, why, from_on, until_on, by, at) VALUES (?, ?, ?, ?, NULL, ?, ?) "
            "ON CONFLICT (inspector_id, entity) DO UPDATE SET until_on = NULL",
            (leaving.id, entity, why, desk.today.isoformat(), desk.actor[:64], desk.now),
        )
        for one in _visits(found, team):
            row = visits.locked(one, desk)
            if row.state not in BEFORE:
                continue
            VisitInspector.update(active=False).where(
                (VisitInspector.visit == one) & (VisitInspector.inspector == leaving.id)
            ).execute()
            execute(
                "INSERT INTO visit_inspector (visit_id, inspector_id, organ, round, active) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (visit_id, inspector_id) DO UPDATE SET active = excluded.active, round = excluded.round",
                (one, coming.id, organ, number, True),
            )
            visits.step(row, "redrawn", why, {"draw": found.id, "out": [leaving.id], "in": [coming.id]}, desk)
        said = {"round": number, "digest": minutes["digest"]}
        seq = draws.step(pen, found, REDRAWN, said, desk, number)
        Draw.update(minutes=stored, minutes_digest=minutes["digest"]).where(Draw.id == found.id).execute()
        made: DrawRound = DrawRound.create(
            draw=found.id, round=number, visit=visit, out=leaving.id, into=coming.id, why=why, by=desk.actor[:64], at=desk.now, seq=seq,
        )  # fmt: skip
        audit.note(
            "draw.redrawn", actor=desk.actor, subject=f"draw {found.id}", now=desk.now, seq=seq, visit=visit, out=leaving.id,
            into=coming.id,
        )  # fmt: skip
        return made


def _visits(draw: Draw, team: lots.Team) -> list[int]:
    """The visits of a team's day, in order of the tour."""
    marks = ", ".join("?" * len(team.codes))
    rows = execute(
        "SELECT v.id FROM visit v JOIN inspection_list l ON l.id = v.list_id JOIN inspection_list_row r ON r.list_id = v.list_id "  # noqa: S608 (marks)
        f"AND r.position = v.position WHERE l.draw_id = ? AND r.code IN ({marks}) ORDER BY v.position",
        (draw.id, *team.codes),
    ).fetchall()
    return [row[0] for row in rows]
