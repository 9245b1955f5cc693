"""`verify`, `seal`, `proof` and `erase`: the ledger and its seal."""

from pathlib import Path
from typing import Any

import click
import orjson

from api.cli import DONE, FAILED, support
from api.cli.support import as_json
from api.cli.understanding import rows_of
from registry import clock
from registry.config import Settings
from registry.services import erasures, proofs
from registry.services import seal as sealing
from registry.services import verify as checking

SHOWN = 30


@click.command("verify", epilog="Example: xinheng verify --roots /media/safe/roots.jsonl")
@click.option(
    "--roots",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A copy of the file of signed roots that was kept elsewhere. Default: [seal] roots_file.",
)
@as_json
def verify(roots: Path | None, as_json: bool) -> int:
    """Check the ledger for tampering: every row against its seal, the seal against the roots, every cache against the rows.

    Exit status 0: nothing was changed; 3: something was, and it is named. Reads only, needs no key.
    """
    with support.connected() as settings, support.progress("Verify 核验") as tell:
        report = checking.verify(settings, roots_file=roots, progress=tell)
        if as_json:
            support.emit({
                "fine": report.fine, "rows": report.rows, "sealed": report.sealed,
                "sealed_at": None if report.sealed_at is None else clock.moment_text(report.sealed_at),
                "unsealed": report.unsealed, "roots": report.roots, "erased": report.erased, "log": report.log,
                "public_key": report.public_key, "findings": [one.as_dict() for one in report.findings],
                "more": report.more, "notes": report.notes,
            })  # fmt: skip
        else:
            _say(report, settings)
    return DONE if report.fine else FAILED


def _say(report: checking.Report, settings: Settings) -> None:
    for note in report.notes:
        click.echo(f"注 Note: {note}")
    if report.fine:
        until = (
            f"已封存至 sealed until row {report.sealed:,} at {support.moment(report.sealed_at, settings)}"
            if report.sealed_at is not None
            else "尚未封存 nothing is sealed yet"
        )
        click.echo(
            f"未发现篡改 Nothing was changed: {rows_of(report.rows)}, {until}, {report.roots:,} signed root{'' if report.roots == 1 else 's'}; "
            f"{rows_of(report.unsealed)} not sealed yet, {report.erased:,} lawfully erased."
        )
        click.echo(f"公钥 Public key of the log: {report.public_key}")
        return
    click.echo("发现篡改 The ledger or its seal was changed:")
    for one in report.findings[:SHOWN]:
        click.echo(f"  [{one.what}] {one.sentence}")
    left = len(report.findings) - SHOWN + report.more
    if left > 0:
        click.echo(f"  … and {left:,} more; --json has the first hundred of each sort.")
    click.echo("Keep the database and the file of roots as they are, and see docs/sealing.md.")


@click.command("seal", epilog="Example: xinheng seal --json")
@as_json
def seal(as_json: bool) -> None:
    """Seal the ledger now, up to its last row. The worker does it every minute by itself."""
    with support.connected() as settings, support.progress("Seal 封存") as tell:
        done = sealing.seal(settings, now=clock.now, progress=tell)
    at = None if done.at is None else clock.moment_text(done.at)
    if as_json:
        support.emit({"rows": done.rows, "size": done.size, "root": done.root.hex(), "at": at})
    elif done.at is None:
        click.echo("The ledger is empty: there is nothing to seal.")
    else:
        click.echo(f"Sealed {rows_of(done.rows)}; {done.size:,} in all, root {done.root.hex()} of {at}")


@click.command("proof", epilog="Example: xinheng proof 812 --all --out proof-812.json")
@click.argument("seq", type=click.IntRange(min=1), required=False)
@click.option("--field", "fields", multiple=True, help="Show this field of the detail in the proof; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Show every field of the detail.")
@click.option("--size", type=click.IntRange(min=1), default=None, help="Against the signed root of so many rows.")
@click.option("--from", "first", type=click.IntRange(min=1), default=None, help="With --to: that the ledger only grew.")
@click.option("--to", "second", type=click.IntRange(min=1), default=None, help="Sizes of two signed roots.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write to this file.")
def proof(
    seq: int | None, fields: tuple[str, ...], everything: bool, size: int | None, first: int | None, second: int | None,
    out: Path | None,
) -> None:  # fmt: skip
    """Export a proof that row SEQ is in the ledger, or (--from, --to) that a later ledger only added to an earlier one.

    docs/verify_proof.py checks it anywhere, without this program and without the database. A field that is not shown
    stays secret: the proof holds only a salted commitment of it.
    """
    growth = first is not None or second is not None
    if growth == (seq is not None) or (growth and (first is None or second is None)):
        raise click.UsageError("Give the number of a row, or both --from and --to.")
    with support.connected() as settings:
        made: dict[str, Any]
        if first is not None and second is not None:
            made = proofs.consistency(settings, first, second)
        else:
            assert seq is not None
            made = proofs.inclusion(settings, seq, size=size, disclose=None if everything else fields)
    text = orjson.dumps(made, option=orjson.OPT_INDENT_2)
    if out is None:
        click.echo(text.decode())
        return
    out.write_bytes(text + b"\n")
    click.echo(f"Written: {out}. Check it with: python docs/verify_proof.py {out}", err=True)


@click.command(
    "erase",
    epilog="Example: xinheng erase 812 --fields fact,remark --basis 《个人信息保护法》第四十七条 --reason 依申请删除",
)
@click.argument("seq", type=click.IntRange(min=1))
@click.option("--fields", default="", help="Fields of the detail, separated by commas. Default: the whole record.")
@click.option("--basis", required=True, help="The provision that demands it; stays on record.")
@click.option("--reason", required=True, help="Why; stays on record. Do not repeat what is to be erased.")
@click.option("--yes", is_flag=True, help="Do not ask. What is erased cannot be brought back.")
@as_json
def erase(seq: int, fields: str, basis: str, reason: str, yes: bool, as_json: bool) -> None:
    """Erase, for good, what the record of row SEQ says, or single fields of it, in every wording of it.

    The record itself, that it was erased, by whom and on what basis stay on record, and the seal still holds. Backups
    keep what was erased until they are replaced. Safe to repeat.
    """
    names = [name.strip() for name in fields.split(",") if name.strip()]
    if not yes:
        what = f"the fields {', '.join(names)} of" if names else "everything that is said by"
        click.confirm(f"Erase {what} the record of row {seq}? It cannot be brought back.", abort=True, err=True)
    with support.connected() as settings:
        done = erasures.erase(
            settings, seq, fields=names, basis=basis, reason=reason, actor=support.actor(), today=support.today(settings),
            now=clock.now,
        )  # fmt: skip
    if as_json:
        support.emit({"said": done.said, "rows": done.rows, "fields": done.fields, "step": done.step})
    elif done.said == "unchanged":
        click.echo(f"unchanged: it was erased before, by step {done.step}")
    else:
        click.echo(f"erased: {len(done.rows)} row(s), on record as step {done.step}")
