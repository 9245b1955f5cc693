"""Mappings that a place keeps for itself: checked before they are kept, and never in the place of a shipped one."""

import os
import tempfile
from pathlib import Path

from registry import mappings
from registry.errors import BadFile
from registry.mappings.form import Mapping, load


def save(file: Path, folder: Path, *, replace: bool = False) -> Path:
    """Check a mapping file and keep a copy in `folder` under its own name. Returns where it lies.

    Safe to repeat: the same content again changes nothing. Raises BadFile for a file that is not in order, the name of a
    shipped mapping, and, unless `replace`, another mapping of that name.
    """
    mapping: Mapping = load(file)
    if mapping.id in mappings.shipped():
        raise mappings.clash(mapping.id)
    kept, content = folder / f"{mapping.id}.toml", file.read_bytes()
    if kept.is_file() and kept.read_bytes() != content and not replace:
        raise BadFile(
            f"There is another mapping {mapping.id!r} in {folder} already. Rename yours, or save it with --replace."
        )
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
    with os.fdopen(
        handle, "wb"
    ) as stream:  # an import that looks at the folder meanwhile sees the old one or the new one
        stream.write(content)
    Path(temporary).replace(kept)
    return kept
