"""Model cards: what a model is, how it was made and how it did, as Markdown with pictures beside it and as one HTML page."""

from __future__ import annotations

from pathlib import Path

from registry.errors import RegistryError
from registry.models import Model
from registry.services import models
from rules.parts import Title


class NotEvaluated(RegistryError):
    """A card is made from an evaluation, and this model has none."""

    code = "model_not_evaluated"
    status = 409

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Model {number} was not evaluated on its hold-out, and a card says how it did there. Evaluate it first: "
            f"xinheng model evaluate {number}."
        )


def files(model: Model) -> dict[str, str]:
    """The card as files: path from the folder in which it is to stand, and text. Raises NotEvaluated."""
    from rules.model import card, recipe

    report = models.report_of(model)
    if report is None:
        raise NotEvaluated(model.id)
    bundle, scheme = models.bundle_of(model), models.scheme_of(model)
    titles = {one.id: scheme.indicators[one.id].title for one in bundle.features}
    used = recipe.load()
    return card.files(
        report, bundle, stem=f"model-{model.id}", titles=titles, recipe=used if used.scheme == bundle.scheme else None,
        leaks=model.metrics.get("leaks"), notes=_notes(model),
    )  # fmt: skip


def _notes(model: Model) -> tuple[Title, ...]:
    look = models.look_of(model)
    if look is None or look["first"]:
        return ()
    zh = "本版本此前已查看过检验期，以上数字不作证明。"
    en = "The test period was seen before in this release: these figures are no proof."
    return (Title(f"{zh}理由：{look['why']}", f"{en} Why it was looked at again: {look['why']}"),)


def html(model: Model) -> str:
    """The card as one page with its pictures inside. Raises NotEvaluated."""
    return next(text for name, text in files(model).items() if name.endswith(".html"))


def write(model: Model, folder: Path) -> list[Path]:
    """Write the card into a folder, which is made where it lacks; the paths. Raises NotEvaluated."""
    made = []
    for name, text in files(model).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        made.append(path)
    return made
