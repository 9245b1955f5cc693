"""`mapping`: the mappings there are, and one of your own: drafted, checked, saved."""

from pathlib import Path

import click

from api.cli import support
from api.cli.support import as_json
from registry import config, tables
from registry import mappings as known
from registry.config import Settings
from registry.errors import BadFile
from registry.mappings.draft import draft as drafted
from registry.mappings.form import load
from registry.mappings.saving import save as kept
from registry.services.understanding import head

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("mapping", epilog="Example: xinheng mapping draft checks.xlsx --kind spot_check > my-checks.toml")
def mapping() -> None:
    """Mappings 映射: how the columns of a file become the fields of a kind of record."""


def folder_of(settings: Settings) -> Path:
    """Where this place keeps its own mappings."""
    return settings.path(settings.import_.mappings)


@mapping.command("list", epilog="Example: xinheng mapping list --json")
@as_json
def list_(as_json: bool) -> None:
    """List the mappings: those of the product, and those that were saved here."""
    rows = [
        {"id": name, "kind": "", "title": one.detail, "saved": True, "usable": False}
        if isinstance(one, BadFile)
        else {"id": name, "kind": one.kind, "title": one.title, "saved": name not in known.shipped(), "usable": True}
        for name, one in known.known(folder_of(config.load())).items()
    ]
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["映射 mapping", "种类 kind", "用于 for", "来自 from"],
        [
            [row["id"], row["kind"], row["title"] if row["usable"] else f"not usable: {row['title']}", "saved" if row["saved"] else "shipped"]
            for row in rows
        ],
    )  # fmt: skip


@mapping.command("show", epilog="Example: xinheng mapping show penalty-tax > my-penalty-tax.toml")
@click.argument("name")
def show(name: str) -> None:
    """Print a mapping as it stands in its file: the beginning of one of your own."""
    folder = folder_of(config.load())
    found = known.named(name, folder)
    place = (known.FOLDER if found.id in known.shipped() else folder) / f"{found.id}.toml"
    path = Path(name) if name.endswith(".toml") else place
    click.echo(path.read_text(encoding="utf-8"), nl=False)


@mapping.command("check", epilog="Example: xinheng mapping check my-checks.toml")
@FILE
def check(file: Path) -> None:
    """Check a mapping file: every key, every field of its kind. Nothing is stored."""
    found = load(file)
    if found.id in known.shipped():
        raise known.clash(found.id)
    click.echo(f"{file.name} is in order: {found.title}, kind {found.kind}, {len(found.columns)} fields from columns.")


@mapping.command("save", epilog="Example: xinheng mapping save my-checks.toml")
@FILE
@click.option("--replace", is_flag=True, help="Take the place of a saved mapping of that name.")
def save(file: Path, replace: bool) -> None:
    """Keep a mapping here: it is found by the headings of a file from now on, and by its name."""
    folder = folder_of(config.load())
    place = kept(file, folder, replace=replace)
    click.echo(f"Saved as {place.stem}. Use it with: xinheng import FILE --mapping {place.stem}")


@mapping.command("draft", epilog="Example: xinheng mapping draft checks.xlsx --kind spot_check > my-checks.toml")
@FILE
@click.option("--kind", required=True, help="The kind of record that the rows are.")
@click.option(
    "--header",
    type=click.IntRange(1, 10),
    default=None,
    help="Row of the header. Default: the first row with most cells.",
)
def draft(file: Path, kind: str, header: int | None) -> None:
    """Begin a mapping for a file that none fits, by the headings that are nearest. A person completes it."""
    rows = head(tables.look_at(file))
    if not rows or (header is not None and header > len(rows)):
        raise BadFile(f"{file.name} has {len(rows)} rows. Give it a line of headings, or name the row with --header.")
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    place = header - 1 if header is not None else filled.index(max(filled))
    click.echo(drafted(rows[place], kind, file), nl=False)
