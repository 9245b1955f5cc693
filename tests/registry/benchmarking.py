"""A small made-up set of inspections as somebody might bring it, and a mapping of it that a test may spoil."""

import random
from datetime import date, timedelta
from pathlib import Path

from registry.services import benchmark_files, benchmark_mapping

MAPPING = """
source  = "made up by a test"
licence = "none needed"
never   = ["inspector"]
nobody  = ["0"]
title   = { zh = "试验集", en = "Made-up set" }

[entities]
file        = "shops.csv"
id          = "shop"
established = "opened"
format      = "%d/%m/%Y"

[[visits]]
file    = "visits.csv"
id      = "number"
entity  = "shop"
day     = "day"
serious = "grave"
minor   = "slight"

[visits.purpose]
column    = "reason"
values    = { "Planned" = "routine", "Cancelled" = "skip" }
contains  = { "again" = "follow_up", "complaint" = "complaint" }
otherwise = "other"

[visits.penalty]
column = "fined"
values = ["yes"]
kind   = "fine"

[[complaints]]
file   = "complaints.csv"
entity = "shop"
day    = "day"

[[licences]]
file    = "licences.csv"
entity  = "shop"
from    = "from"
until   = "until"
subject = "food_operation"

[units]
purposes  = ["routine"]
least_gap = 20
history   = 1

[[targets]]
id       = "grave"
severity = "serious"
title    = { zh = "严重问题", en = "grave problem" }

[[targets]]
id       = "any"
severity = "minor"
title    = { zh = "任何问题", en = "any problem" }

[split]
train_from      = 2018-01-01
train_until     = 2020-01-01
calibrate_from  = 2020-01-01
calibrate_until = 2020-07-01
test_from       = 2020-07-01
test_until      = 2021-01-01

[statutory]
file   = "shops.csv"
entity = "shop"
column = "rank"
ranks  = { "high" = 2, "low" = 1 }
"""

VISITS = """number,shop,day,reason,grave,slight,fined,inspector
1,a,2018-01-05,Planned,1,2,yes,x
2,a,2018-02-01,looked again,0,0,,x
3,b,2018-01-05,Planned,0,0,no,y
4,b,2018-05-01,A complaint,0,1,,y
5,b,2018-06-01,Cancelled,,,,y
6,0,2018-06-01,Planned,1,1,,y
7,c,,Planned,1,1,,y
8,c,2018-07-01,Something,2,0,,y
8,c,2018-07-01,Something,2,0,,y
"""
SHOPS = "shop,opened,rank\na,01/02/2010,high\nb,,low\nc,03/04/2017,low\nd,05/06/2017,high\n"
COMPLAINTS = "shop,day\na,2018-03-01\nz,2018-03-01\n"
LICENCES = "shop,from,until\na,2017-01-01,2019-12-31\nb,2017-01-01,\nc,2019-01-01,2018-01-01\n"


def written(folder: Path, *, mapping: str = MAPPING, **files: str) -> Path:
    """Write the small set and its mapping; the mapping's path. `visits="…"` writes other visits."""
    shipped = {"visits": VISITS, "shops": SHOPS, "complaints": COMPLAINTS, "licences": LICENCES}
    for name, text in (shipped | files).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    path = folder / "made_up.toml"
    path.write_text(mapping, encoding="utf-8")
    return path


def read(folder: Path, **given: str) -> benchmark_files.Set:
    """The small set as the product reads it."""
    return benchmark_files.read(benchmark_mapping.load(written(folder, **given)), folder)


def district(folder: Path, *, shops: int = 300, seed: int = 7) -> Path:
    """Three years of quarterly visits to shops that differ in how often they fail, with a mapping; its path."""
    draw = random.Random(seed)
    visits, rows, names = [VISITS.splitlines()[0]], ["shop,opened,rank"], []
    for number in range(shops):
        risk = draw.betavariate(1.2, 3)
        names.append(f"s{number}")
        rows.append(f"s{number},01/01/2012,{'high' if draw.random() < risk else 'low'}")
        day = date(2018, 1, 1) + timedelta(days=draw.randrange(90))
        while day < date(2021, 1, 1):
            grave, slight = int(draw.random() < risk), sum(draw.random() < risk for _ in range(3))
            visits.append(f"{len(visits)},s{number},{day},Planned,{grave},{slight},{'yes' if grave else ''},x")
            day += timedelta(days=draw.randrange(70, 110))
    complaints = ["shop,day", *(f"{name},2018-05-0{draw.randrange(1, 9)}" for name in draw.sample(names, shops // 4))]
    return written(
        folder, visits="\n".join(visits), shops="\n".join(rows), complaints="\n".join(complaints), licences="shop,from,until\n"
    )  # fmt: skip
