"""The list of items that is shipped, with its special databases: `registry/parameters/items.toml`, loaded where codes are free."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.database import write
from registry.models import InspectionItem, Label
from registry.parameters import FOLDER
from registry.services import items, labels
from registry.services.register_forms import ItemFields, LabelFields
from registry.services.registers import Desk

FILE = FOLDER / "items.toml"
# What a weight rests on where the file says no more.
DEFAULT = "product_default"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did: labels and items that were added, and codes that stood already and were left alone."""

    labels: int
    items: int
    kept: tuple[str, ...]


def load(*, desk: Desk, path: Path = FILE) -> Loaded:
    """Add the shipped labels and items whose codes are free; what stands is left as it is. One transaction, safe to repeat."""
    wanted_labels, wanted_items = read(path)
    with write():
        standing = {row.code for row in Label.select(Label.code)}
        fresh = [one for one in wanted_labels if one["code"] not in standing]
        for one in fresh:
            labels.save(one, desk=desk)
        listed = {row.code for row in InspectionItem.select(InspectionItem.code)}
        new = [one for one in wanted_items if one["code"] not in listed]
        for one in new:
            items.save(one, desk=desk)
    kept = sorted(
        (standing & {one["code"] for one in wanted_labels}) | (listed & {one["code"] for one in wanted_items})
    )
    return Loaded(len(fresh), len(new), tuple(kept))


def read(path: Path = FILE) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Labels and items of a shipped list, checked by their forms. A mistake raises marshmallow's ValidationError."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    since, basis = table["default"]["from"], table["default"]["basis"]
    label_form, item_form = LabelFields(), ItemFields()
    every_label = [label_form.load({"scope": "province", "basis": DEFAULT, **one}) for one in table["label"]]
    every_item = []
    for one in table["item"]:
        weight = {"from": since, "weight": one["weight"], "basis": DEFAULT}
        questions = [{"code": str(number), **asked} for number, asked in enumerate(one["questions"], start=1)]
        plain = {name: value for name, value in one.items() if name not in ("weight", "questions")}
        whole = {
            "basis": basis,
            "method": "on_site",
            "from_on": since,
            **plain,
            "harm": [weight],
            "questions": questions,
        }
        every_item.append(item_form.load(whole))
    return every_label, every_item
