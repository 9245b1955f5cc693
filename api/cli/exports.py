"""`export`: records out, by a template that other platforms read."""

from pathlib import Path

import click

from api.cli import support
from api.cli.support import as_json
from registry import templates
from registry.services import entities, exports
from registry.services.exports import FileForm, Headings, Wanted

KINDS = sorted({one.kind for one in templates.shipped().values()})


@click.command(
    "export",
    epilog="Example: xinheng export --kind penalty --template penalty-2021 --organ 信衡市市场监督管理局 penalties.xlsx",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", required=True, type=click.Choice(KINDS), help="Kind of record.")
@click.option(
    "--template",
    default=None,
    help=f"Template: {', '.join(templates.shipped())}. Default: the newest table of the kind.",
)
@click.option("--entity", default=None, help="Only of this entity: credit code or registration number.")
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--since", type=click.IntRange(0), default=0, help="Only what became known after this ledger number.")
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx"]), default=None, help="Default: by the name of FILE, else CSV."
)
@click.option(
    "--headings",
    type=click.Choice(["zh", "code"]),
    default="zh",
    show_default=True,
    help="Headings in Chinese, or as codes (CF_…).",
)
@as_json
def export(
    file: Path, kind: str, template: str | None, entity: str | None, organ: str | None, since: int, form: str | None,
    headings: Headings, as_json: bool,
) -> None:  # fmt: skip
    """Write the records of a kind to FILE by an exchange template (双公示, lists, NECIPS JSON).

    Never written: what was withdrawn, repaired or erased, what waits for a person, and numbers of natural persons. FILE appears
    whole or not at all; `xinheng import` reads it back by the mapping of the same kind.
    """
    wanted_form: FileForm | None = "json" if file.suffix.lower() == ".json" and form is None else None
    chosen = templates.named(template, kind=kind, form="json" if wanted_form and template is None else None)
    exports.check_name(file, form, chosen)
    with support.connected():
        one = None if entity is None else entities.get(entity).id
        wanted = Wanted(organ=organ, entity=one, since=since)
        written = exports.form_of(file, form, chosen)
        tally = exports.to_file(file, chosen, wanted, form=written, headings=headings)
    if as_json:
        support.emit(
            {"file": str(file), "template": chosen.id, "form": written, "rows": tally.rows, "left_out": tally.left_out}
        )
        return
    click.echo(f"{tally.rows:,} records written to {file} by template {chosen.id}.")
    for heading, count in tally.left_out.items():
        click.echo(f"{count:,} left out: they have no {heading}, which the template needs.", err=True)
