#!/usr/bin/env python3
"""Replay the minutes of a Xinheng draw 抽取记录, without Xinheng: this file needs Python 3.10 and nothing else.

    python verify_draw.py [full.json] [--public public.json] --announced COMMITMENT ROOT
Give the two digests that were announced before the draw. Public minutes alone prove less: docs/draws.md says what.
Exit status: 0 everything holds, 1 something differs (each thing is named), 2 wrong use.
"""

import argparse
import hashlib
import hmac
import itertools
import json
import pathlib
import sys
from collections import Counter

HEAD = {"version", "algorithm", "organ", "task"}
TERMS = HEAD | {"day", "frequency", "strata", "excluded", "excluded_codes", "per_day", "pools", "conflicts"}
SAME = HEAD | {"commitment", "root", "terms", "seed", "witness", "digest"}
REST = {"copy", "salt", "candidates", "chosen", "tour", "teams", "rounds"}
wrong = []


def hold(what, holds):
    if not holds:
        wrong.append(what)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Teams:  # two inspectors of each organ for each group of the tour, as rules/draw/teams.py says
    def __init__(self, mac, pools, conflicts):
        self.mac, self.teams, self.barred = mac, [], {tuple(conflict) for conflict in conflicts}
        self.pools = {organ: {one: tuple(areas) for one, _, areas in pools[organ]} for organ in sorted(pools)}
        self.left = {(organ, one): days for organ in pools for one, days, _ in pools[organ]}

    def able(self, organ, codes, area):
        here = [one for one, areas in sorted(self.pools[organ].items()) if area.startswith(areas)]
        return [one for one in here if not any((organ, one, code) in self.barred for code in codes)]

    def free(self, organ, codes, area):
        able = self.able(organ, codes, area)
        free = [one for one in able if self.left[organ, one] > 0]
        return free if len(free) > 1 or not self.relieve(organ, able, free) else self.free(organ, codes, area)

    def relieve(self, organ, able, free):
        spare = {one for one in self.pools[organ] if self.left[organ, one] > (one in free)}
        for codes, sent, area in reversed(self.teams):
            tired = [one for one in sent[organ] if one in able and one not in free]
            fresh = [one for one in self.able(organ, codes, area) if one in spare - {*sent[organ]}] if tired else []
            for old, new in zip(tired, fresh, strict=False):  # the first of both, if there are any
                sent[organ] = sorted({*sent[organ], new} - {old})
                self.left[organ, new], self.left[organ, old] = self.left[organ, new] - 1, self.left[organ, old] + 1
                return True

    def pick(self, number, round, organ, codes, free):
        sent = []
        for count in itertools.count():
            ticket = int.from_bytes(self.mac(canonical(["team", round, organ, codes, count]))[:8], "big")
            if ticket < 2**64 - 2**64 % len(free):  # else the first of the list would be likelier
                sent.append(free.pop(ticket % len(free)))
                self.left[organ, sent[-1]] -= 1
            if len(sent) == number:
                return sorted(sent)

    def place(self, codes, area):
        free, half = {organ: self.free(organ, codes, area) for organ in self.pools}, (len(codes) + 1) // 2
        if min(map(len, free.values())) < 2:
            return half < len(codes) and self.place(codes[:half], area) and self.place(codes[half:], area)
        self.teams.append((codes, {organ: self.pick(2, 0, organ, codes, free[organ]) for organ in free}, area))
        return True

    def recuse(self, number, code, organ, out):
        ((codes, sent, area),) = [team for team in self.teams if code in team[0]]
        self.barred.add((organ, out, code))
        able = [one for one in self.able(organ, codes, area) if one not in sent[organ] and self.left[organ, one] > 0]
        (into,) = self.pick(1, number, organ, codes, able)
        self.left[organ, out] += 1
        sent[organ] = sorted([into, *(one for one in sent[organ] if one != out)])
        return into


def replay(full):
    hold("form: not the full minutes, version 1", set(full) == TERMS | SAME | REST and full["version"] == 1)
    name, rows, seed, salt = full["algorithm"], full["candidates"], *map(bytes.fromhex, (full["seed"], full["salt"]))
    body = canonical({field: value for field, value in full.items() if field != "digest"})
    hold("digest: the minutes were altered", hashlib.new(name, body).hexdigest() == full["digest"])
    codes, left_out = [code for code, _ in rows], [code for code, _ in full["excluded_codes"]]
    hold("list: out of order, or one twice", [codes, left_out] == [sorted({*codes}), sorted({*left_out} - {*codes})])
    hold("list: reasons miscounted", Counter(why for _, why in full["excluded_codes"]) == full["excluded"])
    committed = [hmac.digest(hmac.digest(salt, row[0].encode(), name), "\n".join(row).encode(), name) for row in rows]
    secret, terms = hmac.digest(salt, b"xinheng draw terms 1\n", name), {field: full[field] for field in TERMS}
    hold("terms: not as committed to", hmac.digest(secret, canonical(terms), name).hex() == full["terms"])
    hold("seed: seed or salt is short, or no witness spoke", len(seed) == len(salt) == 32 and full["witness"].strip())
    key = hmac.digest(seed, (full["root"] + full["witness"]).encode(), name)
    tickets = {stratum: [] for _, stratum in rows}
    for (code, stratum), commitment in zip(rows, committed, strict=True):
        tickets[stratum].append((hmac.digest(key, commitment, name), commitment, code))
    sizes = {stratum: size for stratum, (there, size) in full["strata"].items() if 1 <= size <= there}
    hold("strata: not of this list", {one: [len(of), sizes.get(one)] for one, of in tickets.items()} == full["strata"])
    drawn = [code for stratum, of in tickets.items() for _, _, code in sorted(of)[: sizes.get(stratum, 0)]]
    hold("result: others would have been drawn", sorted(drawn) == full["chosen"])
    hold("tour: not through the drawn", sorted(code for code, _ in full["tour"]) == full["chosen"])
    groups, teams = [], Teams(lambda said: hmac.digest(key, said, name), full["pools"], full["conflicts"])
    for area, stops in itertools.groupby(full["tour"], lambda stop: stop[1]):
        here, many = [code for code, _ in stops], full["per_day"]
        groups += [(here[at : at + many], area) for at in range(0, len(here), many)]
    hold("pools: too few inspectors", False not in [teams.place(*group) for group in groups])
    hold("teams: others would have been sent", [[of, sent] for of, sent, _ in teams.teams] == full["teams"])
    for at, (number, code, organ, out, into, _) in enumerate(full["rounds"], 1):
        hold(f"rounds: round {at} is not as drawn", number == at and into == teams.recuse(at, code, organ, out))
    print(f"replayed: {len(drawn)} of {len(rows)} in {len(tickets)} strata, {len(teams.teams)} teams")
    public = {"copy": "public", "pool": len(rows), "visited": full["chosen"], **{field: full[field] for field in SAME}}
    return {**public, "commitments": sorted(one.hex() for one in committed)}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("full", nargs="?")
    parser.add_argument("--public")
    parser.add_argument("--announced", nargs=2, metavar=("COMMITMENT", "ROOT"))
    given = parser.parse_args(arguments)
    try:
        raw = [pathlib.Path(path).read_bytes() for path in (given.full, given.public) if path]
        files = [json.loads(one) for one in raw]
        hold("file: not in the one form that is hashed", raw == [canonical(one) for one in files])
        if not files or "sm3" in {one["algorithm"] for one in files} - hashlib.algorithms_available:
            parser.error("name a file; for sm3, use a Python whose OpenSSL has it")
        public = replay(files[0]) if given.full else files[0]
        hold("public: not the public minutes of this draw", not given.public or files[-1] == public)
        hold("public: wrong number", len(public["visited"]) <= public["pool"] == len(public["commitments"]))
        seed, root = b"xinheng draw seed 1\n" + bytes.fromhex(public["seed"]), b"xinheng draw root 1\n"
        root += b"".join(bytes.fromhex(one) for one in [public["terms"], *public["commitments"]])
        seed, root = (hashlib.new(public["algorithm"], said).hexdigest() for said in (seed, root))
        hold("seed: not as committed to", seed == public["commitment"])
        hold("list: list or terms are not of the root", root == public["root"])
        hold("announcement: other digests were announced", given.announced in (None, [seed, root]))
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        wrong.append(f"form: this is not in the format ({error!r})")
    print("\n".join(f"WRONG {one}" for one in wrong) or "OK" + "; give --announced, too" * (given.announced is None))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
