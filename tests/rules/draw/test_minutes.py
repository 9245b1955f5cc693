"""Minutes that the auditor's script replays, and in which it finds whatever was altered."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import draw
from rules.draw import Candidates, DrawError, Pool
from tests.rules.draw.made import (
    AREAS,
    JOINS,
    SALT,
    SCRIPT,
    SEED,
    SENDS,
    WITNESS,
    checked_by_script,
    code_of,
    frame_of,
    minutes_of,
    pool_of_size,
    seeded,
    tour_of,
)


@pytest.fixture(scope="module")
def full():
    """Two organs, a conflict, two rounds of recusal."""
    minutes = minutes_of(frame_of(pool=pool_of_size(5, conflicts=[(SENDS, "002", code_of(0))])))
    for number in (0, 1):
        codes, sent = minutes["teams"][number]
        minutes, _ = draw.another_round(minutes, code=codes[0], out=(JOINS, sent[JOINS][0]), why="本人申请回避")
    return minutes


@pytest.fixture(scope="module")
def announced(full):
    return full["commitment"], full["root"]


def resealed(minutes, **altered):
    """Minutes as a forger leaves them: with a digest that fits."""
    forged = {**minutes, **altered}
    return {**forged, "digest": draw.digest(forged["algorithm"], forged)}


def test_the_script_is_short_enough_to_be_read_and_needs_nothing():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("algorithm", draw.ALGORITHMS)
def test_a_draw_is_replayed_from_its_minutes_as_a_program_of_its_own(algorithm, tmp_path):
    frame = frame_of(algorithm=algorithm)
    minutes, told = minutes_of(frame), draw.announce(frame, SEED)
    (tmp_path / "full.json").write_bytes(draw.canonical(minutes))
    (tmp_path / "public.json").write_bytes(draw.canonical(draw.public_minutes(minutes)))
    program = [
        sys.executable,
        "-I",
        SCRIPT,
        "full.json",
        "--public",
        "public.json",
        "--announced",
        told.commitment,
        told.root,
    ]
    run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "replayed: 7 of 21 in 4 strata, 4 teams\nOK\n")


def test_what_was_announced_is_what_is_drawn_by():
    frame = frame_of()
    minutes, told = minutes_of(frame), draw.announce(frame, SEED)
    assert (minutes["commitment"], minutes["root"]) == (told.commitment, told.root)


@st.composite
def frames(made):
    strata = sorted(made(st.lists(st.sampled_from("ABCD"), min_size=4, max_size=25)))
    members = {
        organ: [f"{at:02d}" for at in range(made(st.integers(4, 7)))]
        for organ in (SENDS, JOINS)[: made(st.integers(1, 2))]
    }
    everyone = [(organ, one) for organ, of in members.items() for one in of]
    codes = [code_of(number) for number in range(len(strata))]
    conflicts = made(
        st.lists(
            st.builds(lambda who, code: (*who, code), st.sampled_from(everyone), st.sampled_from(codes)), max_size=3
        )
    )
    areas = {(organ, of[0]): [AREAS[0]] for organ, of in members.items() if made(st.booleans())}
    pool = Pool(members, {one: made(st.integers(3, 9)) for one in everyone}, areas, conflicts)
    sizes = {one: made(st.integers(1, strata.count(one))) for one in sorted(set(strata))}
    return frame_of(
        strata, sizes, pool=pool, per_day=made(st.integers(1, 4)), algorithm=made(st.sampled_from(draw.ALGORITHMS))
    )


@settings(max_examples=80, deadline=None)
@given(frames(), st.binary(min_size=32, max_size=32))
def test_whatever_is_drawn_is_replayed(frame, seed):
    """Also where groups were split and inspectors relieved; where there are too few, there are no minutes."""
    try:
        minutes = minutes_of(frame, seed)
        minutes, _ = draw.another_round(
            minutes, code=minutes["chosen"][0], out=(SENDS, sent_to(minutes, SENDS)), why="近亲属"
        )
    except draw.NotEnoughInspectors:
        return
    status, said = checked_by_script(minutes, draw.public_minutes(minutes), (minutes["commitment"], minutes["root"]))
    assert (status, said.splitlines()[-1]) == (0, "OK")


def test_what_is_drawn_with_the_last_day_of_the_last_inspector_is_replayed():
    """Ten days of pairs out of twenty: somebody has been relieved on the way. And a group of four that no pair could visit whole."""
    to_the_last = frame_of("A" * 12, {"A": 10}, per_day=1, pool=pool_of_size(4, days=5, organs=(SENDS,)))
    of_four = [(SENDS, f"{one:03d}", code_of(at)) for at in range(12) for one in (1, 2, 3, 4) if (at // 2 + one) % 2]
    split = frame_of("A" * 12, {"A": 10}, per_day=4, pool=pool_of_size(4, organs=(SENDS,), conflicts=of_four))
    for frame in (to_the_last, split):
        minutes = minutes_of(frame)
        assert checked_by_script(minutes, announced=(minutes["commitment"], minutes["root"]))[0] == 0
    assert len(minutes["teams"]) > len(draw.groups([tuple(stop) for stop in minutes["tour"]], 4))


def sent_to(minutes, organ):
    return next(sent[organ][0] for codes, sent in minutes["teams"] if minutes["chosen"][0] in codes)


def test_minutes_are_the_same_bytes_in_whatever_order_everything_is_given(full):
    frame = frame_of(pool=pool_of_size(5, conflicts=[(SENDS, "002", code_of(0)), (SENDS, "001", code_of(3))]))
    listed, pool = frame.candidates, frame.pool
    turned = replace(
        frame,
        candidates=Candidates(listed.codes[::-1], listed.strata[::-1], SALT),
        sizes=dict(reversed(frame.sizes.items())),
        excluded=dict(reversed(frame.excluded.items())),
        pool=replace(
            pool,
            members={organ: of[::-1] for organ, of in reversed(pool.members.items())},
            conflicts=pool.conflicts[::-1],
        ),
    )
    assert draw.canonical(minutes_of(frame)) == draw.canonical(minutes_of(turned))


def test_every_altered_byte_is_found(full, announced):
    written, chance = draw.canonical(full), seeded(7)
    for _ in range(300):
        at = chance.randrange(len(written))
        altered = written[:at] + bytes([written[at] ^ chance.randrange(1, 256)]) + written[at + 1 :]
        assert checked_by_script(altered, announced=announced)[0] == 1, at


def test_every_altered_byte_of_the_public_minutes_is_found(full, announced):
    written, chance = draw.canonical(draw.public_minutes(full)), seeded(8)
    for _ in range(60):
        at = chance.randrange(len(written))
        altered = written[:at] + bytes([written[at] ^ chance.randrange(1, 256)]) + written[at + 1 :]
        assert checked_by_script(full, altered, announced)[0] == 1, at


def swapped(rows, first=0, second=-1):
    """Rows in which two exchanged what stands in their second column."""
    rows = [list(row) for row in rows]
    rows[first][1], rows[second][1] = rows[second][1], rows[first][1]
    return rows


FORGERIES = {
    "list: a candidate more": ("list", lambda m: {"candidates": sorted([*m["candidates"], [code_of(500), "A"]])}),
    "list: a candidate less": ("list", lambda m: {"candidates": m["candidates"][1:]}),
    "list: a candidate twice": ("list", lambda m: {"candidates": [m["candidates"][0], *m["candidates"]]}),
    "list: two strata exchanged": ("list", lambda m: {"candidates": swapped(m["candidates"])}),
    "list: one excluded more": ("list", lambda m: {"excluded_codes": [*m["excluded_codes"], [code_of(99999), "annual_cap"]]}),
    "salt": ("list", lambda m: {"salt": SEED.hex()}),
    "seed": ("seed", lambda m: {"seed": SALT.hex()}),
    "witness": ("result", lambda m: {"witness": "another"}),
    "no witness": ("no witness spoke", lambda m: {"witness": ""}),
    "size of a stratum": ("terms", lambda m: {"strata": {**m["strata"], "A": [12, 4]}}),
    "size beyond the stratum": ("strata", lambda m: {"strata": {**m["strata"], "D": [1, 2]}}),
    "frequency table": ("terms", lambda m: {"frequency": "e" * 64}),
    "task": ("terms", lambda m: {"task": "2026-8"}),
    "day": ("terms", lambda m: {"day": "2026-03-03"}),
    "result: another instead": (
        "result",
        lambda m: {"chosen": sorted([*m["chosen"][1:], next(code for code, _ in m["candidates"] if code not in m["chosen"])])},
    ),
    "tour: one not drawn": ("tour", lambda m: {"tour": [[code_of(800), AREAS[0]], *m["tour"][1:]]}),
    "tour: in another order": ("teams", lambda m: {"tour": m["tour"][::-1]}),
    "visits a day": ("terms", lambda m: {"per_day": 3}),
    "pools: one less": ("terms", lambda m: {"pools": {**m["pools"], SENDS: m["pools"][SENDS][1:]}}),
    "pools: a day more": ("terms", lambda m: {"pools": {**m["pools"], SENDS: [["001", 21, [""]], *m["pools"][SENDS][1:]]}}),
    "a conflict less": ("terms", lambda m: {"conflicts": []}),
    "teams: another goes": ("teams", lambda m: {"teams": [[m["teams"][0][0], {JOINS: ["001", "002"], SENDS: ["000", "001"]}], *m["teams"][1:]]}),
    "teams: one less": ("teams", lambda m: {"teams": m["teams"][:-1]}),
    "rounds: another came": ("rounds", lambda m: {"rounds": [[*m["rounds"][0][:4], "999", "x"], *m["rounds"][1:]]}),
    "rounds: numbered anew": ("rounds", lambda m: {"rounds": [[2, *m["rounds"][0][1:]], *m["rounds"][1:]]}),
    "rounds: who did not go": ("form", lambda m: {"rounds": [[1, code_of(800), *m["rounds"][0][2:]], *m["rounds"][1:]]}),
    "a field more": ("form", lambda m: {"remark": "approved"}),
    "version": ("form", lambda m: {"version": 2}),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forger_who_mends_the_digest_is_found_and_told_by_what(full, announced, forgery):
    names, altered = FORGERIES[forgery]
    status, said = checked_by_script(resealed(full, **altered(full)), announced=announced)
    assert status == 1
    assert [line for line in said.splitlines() if line.startswith(f"WRONG {names}") or names in line], said
    assert "WRONG digest" not in said


def test_a_whole_new_draw_is_found_by_what_was_announced_and_by_nothing_else(full, announced):
    another = minutes_of(frame_of(), seed=SALT[::-1])
    assert checked_by_script(another)[1].endswith("OK; give --announced, too\n")
    status, said = checked_by_script(another, announced=announced)
    assert (status, said.splitlines()[-1]) == (1, "WRONG announcement: other digests were announced")


def test_public_minutes_of_another_draw_do_not_pass_for_those_of_this_one(full, announced):
    another = draw.public_minutes(minutes_of(frame_of(), witness="7"))
    assert "WRONG public: not the public minutes of this draw" in checked_by_script(full, another, announced)[1]


def test_public_minutes_alone_show_that_seed_and_list_were_fixed_before(full, announced):
    public = draw.public_minutes(full)
    assert checked_by_script(public=public, announced=announced) == (0, "OK\n")
    fewer = {**public, "commitments": public["commitments"][1:], "pool": public["pool"] - 1}
    assert "WRONG list" in checked_by_script(public=fewer, announced=announced)[1]
    assert "WRONG seed" in checked_by_script(public={**public, "seed": SALT.hex()}, announced=announced)[1]


def test_wrong_use_of_the_script_is_another_exit_status():
    assert checked_by_script()[0] == 2
    assert checked_by_script(b'{"algorithm":"md9"}')[0] == 1


def test_a_python_without_sm3_is_no_reason_to_call_minutes_wrong(monkeypatch):
    minutes = minutes_of(frame_of(algorithm="sm3"))
    monkeypatch.setattr(hashlib, "algorithms_available", {"sha256"})
    assert checked_by_script(minutes)[0] == 2


def test_a_recused_inspector_does_not_come_back_to_that_day_s_work(full):
    minutes, code = minutes_of(frame_of(pool=pool_of_size(6, organs=(SENDS,)))), full["chosen"][0]
    gone = set()
    for _ in range(4):
        team = next(team for team in draw.teams_of(minutes) if code in team.codes)
        gone.add(team.inspectors[SENDS][0])
        minutes, after = draw.another_round(minutes, code=code, out=(SENDS, team.inspectors[SENDS][0]), why="利害关系")
        assert not gone & set(after.inspectors[SENDS])
        assert after in draw.teams_of(minutes)
    with pytest.raises(draw.NotEnoughInspectors):
        draw.another_round(minutes, code=code, out=(SENDS, after.inspectors[SENDS][0]), why="利害关系")
    assert checked_by_script(minutes)[0] == 0


def test_minutes_survive_being_stored(full):
    assert draw.unpacked(draw.packed(full)) == full


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"excluded": {code_of(3): "annual_cap"}}, f"{code_of(3)} is a candidate and excluded"),
        ({"pool": Pool({}, {}, {}, [])}, "No organ sends inspectors"),
        ({"pool": pool_of_size(1)}, r"has 1 inspector\(s\) with a day left.*Widen its pool"),
        ({"pool": Pool({SENDS: ["1", "1"]}, {(SENDS, "1"): 3}, {}, [])}, "stands in the pool twice"),
    ],
)
def test_what_could_not_be_drawn_is_not_announced(over, said):
    with pytest.raises(DrawError, match=said):
        draw.announce(frame_of(**over), SEED)


def test_a_tour_through_others_than_the_drawn_is_refused():
    frame = frame_of()
    drawn = draw.draw(frame, SEED, WITNESS)
    with pytest.raises(DrawError, match=r"6 visit\(s\) that are not exactly the 7"):
        draw.full_minutes(frame, drawn, tour_of(frame, drawn)[1:])


def test_nobody_is_recused_from_a_visit_that_was_not_drawn(full):
    with pytest.raises(DrawError, match="Nobody visits"):
        draw.another_round(full, code=code_of(800), out=(SENDS, "001"), why="x")
