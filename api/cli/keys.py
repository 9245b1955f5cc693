"""`key`: keys of the API."""

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock
from registry.services import keys


@click.group("key")
def key() -> None:
    """Create, list and revoke API keys.

    \b
    Example:
      xinheng key create tax-bureau --organ 信衡市税务局 --scope records:write
    """


@key.command(
    "create",
    epilog="Example: xinheng key create desk --organ 信衡市市场监督管理局 --scope entities:read --scope grades:read",
)
@click.argument("name")
@click.option("--organ", required=True, help="The organ that holds the key; it posts records of this organ only.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(list(keys.SCOPES)),
    help="What it may do; repeatable.",
)
@click.option(
    "--division", "divisions", multiple=True, help="Prefix of GB/T 2260 it may see; repeatable. Default: everywhere."
)
@as_json
def create(name: str, organ: str, scopes: tuple[str, ...], divisions: tuple[str, ...], as_json: bool) -> None:
    """Make a key and print it. It is shown this once and never again.

    \b
    Scopes: entities:read  grades:read  records:write  tasks:write  lists:read
    """
    with support.connected():
        secret = keys.create(
            name, organ=organ, scopes=list(scopes), divisions=list(divisions), actor=support.actor(), now=clock.now()
        )
    if as_json:
        support.emit({"name": name, "key": secret})
        return
    click.echo(secret)
    click.echo("This is the only time the key is shown. Send it as `Authorization: Bearer KEY`.", err=True)


@key.command("list", epilog="Example: xinheng key list --json")
@as_json
def list_keys(as_json: bool) -> None:
    """List keys: name, organ, scopes, divisions and state. Nobody has the keys themselves."""
    with support.connected() as settings:
        rows = [
            {
                "name": one.name, "organ": one.organ, "scopes": one.scopes, "divisions": one.divisions,
                "created": support.moment(one.created_at, settings), "revoked": support.moment(one.revoked_at, settings) or None,
            }
            for one in keys.every()
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["名称 name", "机关 organ", "权限 scopes", "区划 divisions", "建立 created", "吊销 revoked"],
        [
            [
                row["name"],
                row["organ"],
                " ".join(row["scopes"]),
                " ".join(d or "*" for d in row["divisions"]),
                row["created"],
                row["revoked"],
            ]
            for row in rows
        ],
    )


@key.command("revoke", epilog="Example: xinheng key revoke tax-bureau")
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke a key; it stops working at once. Safe to repeat."""
    with support.connected():
        keys.revoke(name, actor=support.actor(), now=clock.now())
    click.echo(f"Revoked: {name}")
