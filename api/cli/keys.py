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
      xinheng key create tea-company --entity 91990101MA00000000
    """


@key.command(
    "create",
    epilog="Example: xinheng key create desk --organ 信衡市市场监督管理局 --scope entities:read --scope grades:read",
)
@click.argument("name")
@click.option(
    "--organ", default="", help="The organ that holds the key; it posts records of this organ only. Not with --entity."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(keys.SCOPES)),
    help="What it may do; repeatable. With --entity always self:read.",
)
@click.option(
    "--division", "divisions", multiple=True, help="Prefix of GB/T 2260 it may see; repeatable. Default: everywhere."
)
@click.option(
    "--entity",
    metavar="CODE",
    default=None,
    help="An enterprise's own key 企业自查密钥: its own record, objections and repairs, and nothing else.",
)
@as_json
def create(
    name: str,
    organ: str,
    scopes: tuple[str, ...],
    divisions: tuple[str, ...],
    entity: str | None,
    as_json: bool,
) -> None:
    """Make a key and print it. It is shown this once and never again."""
    if entity is None and not (organ and scopes):
        raise click.UsageError("Say --organ and at least one --scope, or --entity CODE for an enterprise's own key.")
    if entity is not None and organ:
        raise click.UsageError("An enterprise's own key belongs to no organ. Leave out --organ or --entity.")
    with support.connected():
        secret = keys.create(
            name,
            organ=organ,
            scopes=list(scopes) or list(keys.OWN),
            divisions=list(divisions),
            entity=entity,
            actor=support.actor(),
            now=clock.now(),
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
                "name": one.name, "organ": one.organ, "scopes": one.scopes, "divisions": one.divisions, "entity": one.entity_code,
                "created": support.moment(one.created_at, settings), "revoked": support.moment(one.revoked_at, settings) or None,
            }
            for one in keys.every()
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["名称 name", "机关或企业 organ or entity", "权限 scopes", "区划 divisions", "建立 created", "吊销 revoked"],
        [
            [
                row["name"],
                row["entity"] or row["organ"],
                " ".join(row["scopes"]),
                "" if row["entity"] else " ".join(d or "*" for d in row["divisions"]),
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
