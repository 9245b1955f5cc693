"""What an inspector enters of a visit 结果录入, checked: answers by question, an outcome that they do not contradict, what follows.

Reads no database and no clock. docs/results.md has the tables in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry.cells.personal import mask_personal
from registry.errors import RegistryError
from registry.kinds.codes import Label
from registry.kinds.spot_check import FOUND, OUTCOMES
from registry.services import documents

ANSWERS = {"ok": "符合", "problem": "发现问题", "na": "不适用"}
SEVERITIES = {number: name for name, number in FOUND.items()}  # 1 minor, 2 problem, 3 serious
DISPOSALS = {
    "none": Label("无需后续处理", "no follow-up"),
    "stopped": Label("停止检查", "the inspection was stopped"),
    "order": Label("责令改正", "order to correct"),
    "lead": Label("发现案件线索", "case lead found"),
    "copied": Label("抄告其他部门", "copied to another organ"),
    "other": Label("其他", "other"),
}
CLEAR, CORRECTED, PENDING, UNREACHABLE, REFUSED, NO_SUCH_BUSINESS, GONE, UNPUBLISHED, FALSE, OTHER = range(1, 11)
# Outcomes that say that something was found: then it is said what; and those that say that nothing was.
FINDING = (CORRECTED, PENDING, UNPUBLISHED, FALSE)
NOT_FINDING = (CLEAR, UNREACHABLE, NO_SUCH_BUSINESS, GONE)
# Outcome → the disposals that go with it. Ours: no instrument pairs the two lists 产品默认值.
GOES_WITH: dict[int, tuple[str, ...]] = {
    CLEAR: ("none", "other"),
    CORRECTED: ("none", "order", "copied", "other"),
    PENDING: ("stopped", "order", "lead", "copied", "other"),
    UNREACHABLE: ("none", "stopped", "copied", "other"),
    REFUSED: ("none", "stopped", "lead", "copied", "other"),
    NO_SUCH_BUSINESS: ("none", "stopped", "copied", "other"),
    GONE: ("none", "stopped", "copied", "other"),
    UNPUBLISHED: ("none", "order", "lead", "copied", "other"),
    FALSE: ("order", "lead", "copied", "other"),
    OTHER: tuple(DISPOSALS),
}
LONGEST_SAID, LONGEST_NAME, MOST_PHOTOS, MOST_PROBLEMS = 4_000, 200, 100, 100
HEX = frozenset("0123456789abcdef")


class ResultRefused(RegistryError):
    """What was entered of a visit is incomplete, or contradicts itself."""

    code = "result_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Entry:
    """What an inspector gives.

    items : [{item, answers: [{question, answer, said}], said}] by code of item (its text where it has no code)
    problems : [{item, severity (1 minor, 2 general, 3 serious), said}], what no question asks for; `item` may be empty
    all_clear : every question of every item is answered "ok" 全部事项未发现问题
    copied_to : the organ that is told of it, where the disposal is `copied`
    photos : [{sha256, name, bytes}]
    """

    outcome: int | None = None
    items: Sequence[Mapping[str, Any]] = ()
    problems: Sequence[Mapping[str, Any]] = ()
    all_clear: bool = False
    disposal: str = "none"
    correct_by: date | None = None
    copied_to: str = ""
    photos: Sequence[Mapping[str, Any]] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """An entry as it is kept: the columns of its row, and the organ that is told of it."""

    columns: dict[str, Any] = field(default_factory=dict)
    copied_to: str = ""


def mine(
    items: Sequence[str], checklist: Sequence[Mapping[str, Any]], organ: str, organs: Sequence[str], *, kind: str = "",
    applying: Sequence[str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The items of a task that one of its `organs` (the task's own first) checks: [{code, name, basis, method, questions}].

    A coded item belongs to its department, and is left out where it does not apply to entities of this `kind`, or is not one
    of those `applying` (codes frozen with the row of the list, so that special databases count; None: not told). What stands as
    a text alone, and what belongs to no organ of the task, belongs to the task's own. The code of a text is the text.
    """
    coded = [
        {
            "code": one["code"], "name": one["name"], "basis": one.get("basis", ""), "method": one.get("method", ""),
            "questions": list(one.get("questions", ())),
            "organ": one.get("department", "") if one.get("department", "") in organs else organs[0],
        }
        for one in checklist
        if (not kind or not one.get("subjects") or kind in one["subjects"]) and (applying is None or one["code"] in applying)
    ]  # fmt: skip
    names = {name for one in checklist for name in (one["code"], one["name"])}
    texts = [
        {"code": text, "name": text, "basis": "", "method": "", "questions": [], "organ": organs[0]}
        for text in items
        if text not in names
    ]
    return [one for one in [*coded, *texts] if one["organ"] == organ]


def checked(given: Entry, items: Sequence[Mapping[str, Any]], *, on: date) -> Checked:
    """Check an entry against the items that the organ checks; `on` is the day of the visit.

    Every question is answered unless the inspection was stopped or nobody could be inspected; what was found fits the
    outcome, the disposal fits both. Personal numbers in texts are masked. Raises ResultRefused, naming item and question,
    and BadDocument where an order to correct would have to be printed with a masked number.
    """
    outcome = CLEAR if given.outcome is None and given.all_clear else given.outcome
    if outcome not in OUTCOMES:
        listed = ", ".join(f"{number} {label.zh} {label.en}" for number, (_, label) in OUTCOMES.items())
        raise ResultRefused(f"{outcome} is no `outcome`. Give one of: {listed}; or `all_clear`, which is 1.")
    if given.disposal not in GOES_WITH[outcome]:
        raise ResultRefused(
            f"Disposal {_disposal(given.disposal)} does not go with outcome {_outcome(outcome)}. Those that do: "
            f"{', '.join(_disposal(name) for name in GOES_WITH[outcome])}."
        )
    if given.all_clear and (given.items or given.problems or outcome != CLEAR):
        raise ResultRefused(
            "`all_clear` says that nothing was found in any item. Leave out `items`, `problems` and any other outcome, or leave out "
            "`all_clear`."
        )
    entered = _clear(items) if given.all_clear else _items(given.items, items)
    _beside(entered, given.problems, items)
    found = _found(entered, items)
    _fits(outcome, given, entered, items, found)
    said = _said(given.said)
    _follows(outcome, given, said, found, on)
    counts = {name: sum(severity == number for severity, _ in found) for name, number in FOUND.items()}
    columns = {
        "outcome": outcome, "items": entered, **counts, "disposal": given.disposal, "correct_by": given.correct_by,
        "photos": _photos(given.photos), "said": said,
    }  # fmt: skip
    if given.disposal == "order":
        documents.unmasked({"said": said, **{f"problem {n}": what for n, (_, what) in enumerate(found, 1)}}, "An order to correct 责令改正通知书")  # fmt: skip
    return Checked(columns, mask_personal(given.copied_to.strip())[:LONGEST_NAME])


def problems(entered: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was found, one sentence each, as an order or a lead says it."""
    return [what for _, what in _found(entered, items)]


def basis(entered: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]) -> str:
    """What the questions and items rest on under which something was found, each once, in order; empty where none says.

    An item whose basis is still to be filled in (`product_default`) says none: no order may cite that.
    """
    of = {one["code"]: one for one in items}
    named: list[str] = []
    for one in entered:
        item = of.get(one["item"])
        asked = {} if item is None else {each["code"]: each for each in item["questions"]}
        named += [
            _law(asked.get(answer["question"], {}).get("basis", "")) or _law((item or {}).get("basis", ""))
            for answer in one["answers"]
            if answer["answer"] == "problem"
        ]
    return "、".join(dict.fromkeys(name for name in named if name))


def _law(text: str) -> str:
    return "" if text.startswith("product_default") else text


def _clear(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"item": one["code"], "answers": [{"question": each["code"], "answer": "ok", "said": ""} for each in one["questions"]], "said": ""}
        for one in items
    ]  # fmt: skip


def _items(given: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    of = {one["code"]: one for one in items}
    entered: dict[str, dict[str, Any]] = {}
    for one in given:
        code = one["item"]
        if code not in of:
            raise ResultRefused(
                f"Item {code[:40]!r} is not one that this organ checks at this visit. Items are: {_listed(list(of))}."
            )
        if code in entered:
            raise ResultRefused(f"Item {code} is given twice. Put its answers together.")
        asked = [each["code"] for each in of[code]["questions"]]
        answers: dict[str, dict[str, Any]] = {}
        for answer in one.get("answers", ()):
            question = answer["question"]
            if question not in asked:
                raise ResultRefused(f"Item {code} has no question {question[:40]!r}. Its questions are: {_listed(asked)}. What no question asks for goes under `problems`.")  # fmt: skip
            if question in answers:
                raise ResultRefused(f"Question {question} of item {code} is answered twice. Answer it once.")
            if answer["answer"] not in ANSWERS:
                raise ResultRefused(f"{answer['answer']!r} is no answer to question {question} of item {code}. Answers are: {_listed(list(ANSWERS))}.")  # fmt: skip
            answers[question] = {
                "question": question,
                "answer": answer["answer"],
                "said": _said(answer.get("said", "")),
            }
        ordered = [answers[name] for name in asked if name in answers]
        entered[code] = {"item": code, "answers": ordered, "said": _said(one.get("said", ""))}
    return [entered[code] for code in of if code in entered]


def _beside(entered: list[dict[str, Any]], given: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]) -> None:  # fmt: skip
    """Put problems that no question asks for under their items, as answers without a question; "" is no item at all."""
    codes = [one["code"] for one in items]
    if len(given) > MOST_PROBLEMS:
        raise ResultRefused(
            f"{len(given)} problems are more than the {MOST_PROBLEMS} of one result. Put together what belongs together."
        )
    for one in given:
        item, said = one.get("item", ""), _said(one.get("said", ""))
        if item and item not in codes:
            raise ResultRefused(f"A problem names item {item[:40]!r}, which this organ does not check at this visit. Items are: {_listed(codes)}; or leave `item` empty.")  # fmt: skip
        if one.get("severity") not in SEVERITIES:
            raise ResultRefused(f"A problem outside the checklist needs a `severity`: 1 minor, 2 general, 3 serious. {one.get('severity')!r} is none.")  # fmt: skip
        if not said:
            raise ResultRefused("A problem outside the checklist needs words (`said`): no question says what it is.")
        place = next((row for row in entered if row["item"] == item), None)
        if place is None:
            place = {"item": item, "answers": [], "said": ""}
            entered.append(place)
        place["answers"].append({"question": "", "answer": "problem", "said": said, "severity": one["severity"]})


def _found(entered: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """(severity, sentence) of every problem, in order."""
    of = {one["code"]: one for one in items}
    found: list[tuple[int, str]] = []
    for one in entered:
        item = of.get(one["item"], {"name": "", "questions": []})
        asked = {each["code"]: each for each in item["questions"]}
        for answer in one["answers"]:
            if answer["answer"] != "problem":
                continue
            question = asked.get(answer["question"], {})
            severity = answer.get("severity") or question.get("severity") or 2
            what = "，".join(part for part in (question.get("text", "").rstrip("？?"), answer["said"]) if part)
            found.append((int(severity), f"{item['name']}：{what}" if item["name"] else what))
    return found


def _fits(
    outcome: int, given: Entry, entered: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]], found: Sequence[tuple[int, str]]
) -> None:  # fmt: skip
    if outcome in NOT_FINDING and found:
        where = next(
            f"question {answer['question']} of item {one['item']}"
            if answer["question"]
            else "a problem outside the checklist"
            for one in entered
            for answer in one["answers"]
            if answer["answer"] == "problem"
        )
        raise ResultRefused(
            f"Outcome {_outcome(outcome)} contradicts {where}, which says that a problem was found. Give the outcome that says so "
            f"({', '.join(str(one) for one in FINDING)}), or mend that answer."
        )
    if outcome in FINDING and not found:
        raise ResultRefused(
            f"Outcome {_outcome(outcome)} needs what was found: answer a question with `problem`, or give it under `problems`. Where "
            f"nothing was found the outcome is {CLEAR}."
        )
    if outcome in (CLEAR, *FINDING) and given.disposal != "stopped":
        answered = {(one["item"], answer["question"]) for one in entered for answer in one["answers"]}
        missing = [
            f"{each['code']} of item {one['code']}"
            for one in items
            for each in one["questions"]
            if (one["code"], each["code"]) not in answered
        ]
        if missing:
            raise ResultRefused(
                f"Not answered: question {_listed(missing)}. Answer each with {_listed(list(ANSWERS))}; `all_clear` answers all of them ok."
            )


def _follows(outcome: int, given: Entry, said: str, found: Sequence[tuple[int, str]], on: date) -> None:
    if given.disposal == "order":
        if not found:
            raise ResultRefused("An order to correct needs what is to be corrected: answer a question with `problem`, or give it under `problems`.")  # fmt: skip
        if given.correct_by is None or given.correct_by <= on:
            raise ResultRefused(
                f"An order to correct needs its last day `correct_by`, after the visit of {on}. It is {given.correct_by}."
            )
    elif given.correct_by is not None:
        raise ResultRefused("`correct_by` belongs to an order to correct. Leave it out, or give the disposal `order`.")
    if (given.disposal == "copied") != bool(given.copied_to.strip()):
        raise ResultRefused("Say which organ is told (`copied_to`) with the disposal `copied`, and with no other.")
    if not said and (outcome in (REFUSED, OTHER) or given.disposal in ("order", "other")):
        why = {
            "order": "what is demanded 责令改正内容", "other": "what was done",
        }.get(given.disposal) or ("how the inspection was refused or obstructed" if outcome == REFUSED else "what it came to")  # fmt: skip
        raise ResultRefused(
            f"Say {why} (`said`): outcome {_outcome(outcome)} with disposal {_disposal(given.disposal)} needs words."
        )


def _photos(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > MOST_PHOTOS:
        raise ResultRefused(f"{len(given)} photos are more than the {MOST_PHOTOS} of one result. Leave some out.")
    kept: dict[str, dict[str, Any]] = {}
    for one in given:
        digest = str(one["sha256"]).lower()
        if len(digest) != 64 or not HEX.issuperset(digest):
            raise ResultRefused(
                f"{digest[:80]!r} is no SHA-256: 64 hexadecimal digits. `xinheng result photo FILE` prints that of a file."
            )
        if one["bytes"] < 1:
            raise ResultRefused(
                f"Photo {digest[:12]}… has {one['bytes']} bytes: an empty file shows nothing. Take the right file."
            )
        kept[digest] = {"sha256": digest, "name": mask_personal(str(one.get("name", "")))[:LONGEST_NAME], "bytes": one["bytes"]}  # fmt: skip
    return list(kept.values())


def _said(text: str) -> str:
    return mask_personal(text.strip())[:LONGEST_SAID]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") if names else "none"


def _outcome(number: int) -> str:
    return f"{number} ({OUTCOMES[number][1].zh} {OUTCOMES[number][1].en})"


def _disposal(name: str) -> str:
    return f"{name} {DISPOSALS[name].zh}" if name in DISPOSALS else repr(name)
