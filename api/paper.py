"""The quality-credit report as a page that prints: by the server with its style sheet beside it, by the command with it inside."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, select_autoescape

from registry import publicity
from registry.kinds import industries, penalty
from registry.kinds.codes import Label
from registry.kinds.registration import STATUSES, SUBJECTS
from registry.models.entity import STATUS
from registry.services.public import LISTINGS
from registry.services.report import OUTLINE, Report

HERE = Path(__file__).resolve().parent
# Longest bar, in units of the drawing.
WIDTH = 300


def variables(report: Report, *, who: str, at: str) -> dict[str, Any]:
    """What the template `report.html` is filled with. `who` reads it and `at` which moment: both stand in the watermark."""
    most = max((year.complaints for year in report.years), default=0)
    return {
        "report": report,
        "who": who,
        "at": at,
        "css": None,
        "outline": OUTLINE,
        "facts": facts_of(report.basics),
        "rate_title": Label("监督抽检合格率", "Sampling pass rate"),
        "rates": [
            (year.year, 0, "无抽检 none", "good")
            if year.rate is None
            else (year.year, WIDTH * year.rate // 1000, f"{year.rate / 10:.1f}% ({year.passed}/{year.sampled})", "good")
            for year in report.years
        ],
        "complaint_title": Label("计入的投诉举报", "Complaints and reports that count"),
        "complaints": [
            (year.year, WIDTH * year.complaints // most if most else 0, f"{year.complaints} 属实 upheld {year.upheld}", "bad")
            for year in report.years
        ],
    }  # fmt: skip


def facts_of(basics: Mapping[str, Any]) -> list[tuple[Label, str]]:
    """What an entity is, in labelled words: the rows of a report's first part, and of the public page."""
    status = next(label for number, label in STATUSES.items() if STATUS[number] == basics["status"])
    capital = f"{basics['capital_fen'] / 1_000_000:,.2f} 万元" if basics["capital_fen"] else ""
    return [
        (Label("名称", "Name"), basics["name"]),
        (Label("统一社会信用代码", "Credit code"), basics["code"] or ""),
        (Label("注册号", "Registration number"), basics["registration_no"] or ""),
        (Label("主体类型", "Kind"), SUBJECTS.get(basics["kind"], basics["kind"])),
        (Label("登记状态", "State"), f"{status.zh} {status.en}"),
        (Label("成立日期", "Established"), basics["established"] or ""),
        (Label("注册资本", "Registered capital"), capital),
        (Label("行业（GB/T 4754）", "Industry"), industries.named(basics["industry"] or 0)),
        (Label("住所", "Address"), basics["address"]),
        (Label("登记机关", "Registering organ"), basics["organ"]),
    ]


# What the public page says of a record beside its line, by kind: a public field of its detail, and what it is called.
MORE: dict[str, tuple[tuple[str, Label], ...]] = {
    "penalty": (
        ("kinds", Label("处罚种类", "Kinds")), ("content", Label("处罚内容", "Decision")), ("basis", Label("处罚依据", "Legal basis")),
        ("licence", Label("暂扣或吊销证照", "Licence")),
    ),
    "abnormal_listing": (("year", Label("年报年度", "Report year")), ("removal_reason", Label("移出原因", "Reason of removal"))),
    "serious_listing": (("reason", Label("列入原因", "Reason of listing")), ("until", Label("限制期限至", "Restricted until"))),
    "spot_check": (("items", Label("抽查事项", "Items checked")), ("type", Label("检查类型", "Type of check"))),
}  # fmt: skip


def more_of(kind: str, detail: Mapping[str, Any]) -> list[tuple[Label, str]]:
    """What a record says beside its line, in labelled words, from its public fields; what it does not say is left out."""
    found = []
    for name, label in MORE.get(kind, ()):
        value = detail.get(name)
        if kind == "penalty" and name == "kinds":
            value = [penalty.KINDS[one][1] for one in value or () if one in penalty.KINDS]
        text = "、".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if text:
            found.append((label, text))
    return found


def until_of(item: Mapping[str, Any]) -> Label:
    """How long a record is shown: its last day is set, or ends with what it says, or no rule sets one."""
    if item["published_until"]:
        return Label(item["published_until"], item["published_until"])
    if publicity.ends_with_record(item["kind"]):
        if item["kind"] in LISTINGS:
            return Label("移出名录或名单之日", "the day of its removal from the list")
        return Label("有效期届满之日", "the end of its validity")
    return Label("长期公示", "no end is set")


def standalone(report: Report, *, who: str, now: int, zone: str) -> str:
    """The report as one HTML file that needs nothing beside it."""
    pages = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape())
    css = (HERE / "static" / "report.css").read_text(encoding="utf-8")
    given = variables(report, who=who, at=moment(now, zone)) | {"css": css}
    return pages.get_template("report.html").render(given)


def moment(now: int, zone: str) -> str:
    """A moment as it stands in a watermark: to the minute, where the registry works."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
