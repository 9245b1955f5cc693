"""Draws by lot 随机抽取 that an auditor can replay to the last name: committed to, drawn, revealed. Pure.

In the order of a draw: ``announce`` a ``Frame``, ``draw`` once the witness has spoken, ``full_minutes`` along a tour,
``another_round`` for each recusal 回避, ``public_minutes`` when the task is closed. docs/draws.md has the proof.
"""

from rules.draw.choosing import choose, counted
from rules.draw.commitments import (
    ALGORITHMS,
    SECRET_BYTES,
    Candidates,
    candidate_commitment,
    canonical,
    commit,
    commitments,
    key,
    root,
    terms,
)
from rules.draw.errors import DrawError, NotEnoughInspectors
from rules.draw.frame import Frame, Minutes
from rules.draw.minutes import (
    Announced,
    Drawn,
    announce,
    digest,
    draw,
    full_minutes,
    packed,
    public_minutes,
    unpacked,
)
from rules.draw.rounds import another_round, pool_of, teams_of
from rules.draw.teams import Pool, Stop, Team, assign, groups, redraw

__all__ = [
    "ALGORITHMS",
    "SECRET_BYTES",
    "Announced",
    "Candidates",
    "DrawError",
    "Drawn",
    "Frame",
    "Minutes",
    "NotEnoughInspectors",
    "Pool",
    "Stop",
    "Team",
    "announce",
    "another_round",
    "assign",
    "candidate_commitment",
    "canonical",
    "choose",
    "commit",
    "commitments",
    "counted",
    "digest",
    "draw",
    "full_minutes",
    "groups",
    "key",
    "packed",
    "pool_of",
    "public_minutes",
    "redraw",
    "root",
    "teams_of",
    "terms",
    "unpacked",
]
