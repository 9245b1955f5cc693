"""The tree of RFC 6962 (Certificate Transparency), over any hash: leaves and nodes, proofs and their verification.

Pure: nothing here knows the ledger. Leaf hash = H(0x00 ‖ data), node hash = H(0x01 ‖ left ‖ right); a tree of n leaves is
split at the largest power of two below n. RFC 9162, section 2.1, has the algorithms that verify proofs.
"""

import hashlib
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives import hashes

Hash = Callable[[bytes], bytes]
# (level, number) → hash of the complete subtree of leaves number·2^level until (number+1)·2^level.
Node = Callable[[int, int], bytes]

# Only subtrees of 2^8, 2^16 … leaves are kept: what lies between is made from at most 256 hashes.
STEP = 8
BATCH = 1 << STEP


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3", data).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


# GB/T 32905 SM3 where the algorithms of 国密 are asked for; both give 32 bytes.
ALGORITHMS: dict[str, Hash] = {"sha256": _sha256, "sm3": _sm3}


def leaf_hash(h: Hash, data: bytes) -> bytes:
    return h(b"\x00" + data)


def node_hash(h: Hash, left: bytes, right: bytes) -> bytes:
    return h(b"\x01" + left + right)


def fold(h: Hash, level_hashes: Sequence[bytes]) -> bytes:
    """The hash above 2^k neighbouring hashes of one level."""
    layer = list(level_hashes)
    while len(layer) > 1:
        layer = [h(b"\x01" + layer[at] + layer[at + 1]) for at in range(0, len(layer), 2)]
    return layer[0]


class Frontier:
    """A tree that only grows: the complete subtrees that make it up, the largest first. Memory: one hash per level."""

    def __init__(self, h: Hash) -> None:
        self._h = h
        self._stack: list[tuple[int, bytes]] = []
        self.size = 0

    @classmethod
    def resume(cls, h: Hash, size: int, node: Node) -> "Frontier":
        """The tree of the first `size` leaves, from what is stored of it."""
        tree = cls(h)
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                # Everything left of this subtree are larger ones.
                tree._stack.append((level, node(level, (size >> level + 1 << level + 1) >> level)))
        tree.size = size
        return tree

    def push(self, digest: bytes, level: int = 0) -> list[tuple[int, int, bytes]]:
        """Append a leaf, or a complete subtree of `level`; (level, number, hash) of the subtrees that became complete.

        Of those only the ones that are kept (levels 8, 16 …) are returned, without the one that was given.
        """
        h, stack = self._h, self._stack
        self.size += 1 << level
        done: list[tuple[int, int, bytes]] = []
        while stack and stack[-1][0] == level:
            digest = h(b"\x01" + stack.pop()[1] + digest)
            level += 1
            if not level % STEP:
                done.append((level, (self.size >> level) - 1, digest))
        stack.append((level, digest))
        return done

    def root(self) -> bytes:
        """The root of the tree; of an empty one the hash of nothing."""
        if not self._stack:
            return self._h(b"")
        digest = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            digest = self._h(b"\x01" + left + digest)
        return digest

    def joined(self, right: "Frontier") -> bytes:
        """The root of this tree followed by a smaller one that fills no subtree of this one's levels."""
        both = Frontier(self._h)
        both._stack = [*self._stack, *right._stack]
        return both.root()

    def copy(self) -> "Frontier":
        twin = Frontier(self._h)
        twin._stack, twin.size = list(self._stack), self.size
        return twin


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range(h: Hash, low: int, high: int, node: Node) -> bytes:
    """The hash of leaves `low` until `high`, where RFC 6962 has a node over just these."""
    size = high - low
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(size)
    return node_hash(h, _range(h, low, middle, node), _range(h, middle, high, node))


def root(h: Hash, size: int, node: Node) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return _range(h, 0, size, node) if size else h(b"")


def inclusion(h: Hash, index: int, size: int, node: Node) -> list[bytes]:
    """The path that proves that leaf `index` (from 0) is in the tree of `size` leaves, the leaf's neighbour first.

    Raises ValueError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(h, middle, high, node))
            high = middle
        else:
            path.append(_range(h, low, middle, node))
            low = middle
    return path[::-1]


def consistency(h: Hash, first: int, second: int, node: Node) -> list[bytes]:
    """The hashes that prove that the tree of `first` leaves is the beginning of the tree of `second`.

    Raises ValueError unless 1 ≤ first ≤ second.
    """
    if not 1 <= first <= second:
        raise ValueError(f"A tree of {first} leaves is not the beginning of one of {second}.")
    path: list[bytes] = []
    low, high, whole = 0, second, True
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(_range(h, middle, high, node))
            high = middle
        else:
            path.append(_range(h, low, middle, node))
            low, whole = middle, False
    if not whole:
        path.append(_range(h, low, high, node))
    return path[::-1]


def verify_inclusion(h: Hash, leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether `path` proves that `leaf` is leaf `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, digest = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            digest = node_hash(h, step, digest)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            digest = node_hash(h, digest, step)
        at, last = at >> 1, last >> 1
    return last == 0 and digest == expected


def verify_consistency(
    h: Hash, first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether `path` proves that the first tree is the beginning of the second (RFC 9162, 2.1.4.2)."""
    if not 1 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(h, step, old), node_hash(h, step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(h, new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
