"""The digest of a grade: what it says and what it read, and nothing that moves by itself.

SHA-256 over little-endian integers: class index, score, one Int32 per rule of the scheme in order of id (its points,
or ``NO_DATA`` or ``NO_HIT``), one per group cap, one for the clamp, one for the override or the raise (``NO_HIT`` where
neither moves the class), then the sorted distinct record numbers as Int64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rules.slices import Ints

NO_DATA = -(2**31)  # the rule could not be decided
NO_HIT = -(2**31) + 1  # the rule does not hit, or does not apply to the subject or the day
CLAMP, OVERRIDE = -2, -1  # places in a row of the ledger
MOST_POINTS = 1_000_000  # of one rule, either way; sums then stay far inside 32 bits


def records(size: int, pairs: Iterable[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Distinct record numbers of each row, ascending.

    Parameters
    ----------
    size : number of rows
    pairs : (row, seq) arrays, in any order and with repeats

    Returns
    -------
    offsets (``size`` + 1) and seqs: those of row ``i`` are ``seqs[offsets[i]:offsets[i + 1]]``
    """
    held = list(pairs)
    if not held or not sum(row.size for row, _ in held):
        return np.zeros(size + 1, np.int64), np.empty(0, np.int64)
    row = np.concatenate([row for row, _ in held])
    seq = np.concatenate([seq for _, seq in held])
    low, span = int(seq.min()), int(seq.max()) - int(seq.min()) + 1
    if span * size < 2**62:
        # Row and seq as one number: one sort of plain integers instead of one of pairs.
        packed = np.sort(row * span + (seq - low))
        packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))]
        row, seq = packed // span, packed % span + low
    else:
        order = np.lexsort((seq, row))
        row, seq = row[order], seq[order]
        new = np.concatenate(([True], (row[1:] != row[:-1]) | (seq[1:] != seq[:-1])))
        row, seq = row[new], seq[new]
    return np.searchsorted(row, np.arange(size + 1)), seq


def digests(ledger: npt.NDArray[np.int32], offsets: Ints, seqs: Ints) -> list[bytes]:
    """One 32-byte digest per row of ``ledger`` (class index, score, points…)."""
    width = ledger.shape[1] * 4
    body = ledger.astype("<i4", copy=False).tobytes()
    tail = seqs.astype("<i8", copy=False).tobytes()
    bounds = (offsets * 8).tolist()
    sha = hashlib.sha256
    return [
        sha(body[at : at + width] + tail[start:end]).digest()
        for at, start, end in zip(range(0, len(body), width), bounds, bounds[1:], strict=False)
    ]
