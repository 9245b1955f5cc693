"""The tree is that of RFC 6962: held against its recursive definition, its proofs against its verification, and known roots."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.sealing import merkle
from registry.sealing.merkle import ALGORITHMS, STEP, Frontier

H = ALGORITHMS["sha256"]
# The eight leaves, and the roots of their trees, with which implementations of RFC 6962 are tested.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


# The definition of RFC 6962, section 2.1, word for word: slow, and nothing in it is ours.
def mth(d):
    if not d:
        return hashlib.sha256().digest()
    if len(d) == 1:
        return hashlib.sha256(b"\x00" + d[0]).digest()
    k = largest(len(d))
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def largest(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m, d):
    if len(d) == 1:
        return []
    k = largest(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m, d, b):
    if m == len(d):
        return [] if b else [mth(d)]
    k = largest(len(d))
    return [*subproof(m, d[:k], b), mth(d[k:])] if m <= k else [*subproof(m - k, d[k:], False), mth(d[:k])]


def nodes(data):
    """What a database that keeps every complete subtree would answer."""

    def node(level, number):
        return mth(data[number << level : number + 1 << level])

    return node


def leaf(data):
    return merkle.leaf_hash(H, data)


some = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


@pytest.mark.parametrize("size", range(9))
def test_the_known_trees_have_the_known_roots(size):
    tree = Frontier(H)
    for data in LEAVES[:size]:
        tree.push(leaf(data))
    assert tree.root().hex() == merkle.root(H, size, nodes(LEAVES)).hex() == mth(LEAVES[:size]).hex() == ROOTS[size]


def test_known_proofs_of_the_known_trees():
    assert [step.hex() for step in merkle.inclusion(H, 5, 8, nodes(LEAVES))] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in merkle.consistency(H, 6, 8, nodes(LEAVES))] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(some, st.data())
def test_proofs_are_those_of_the_definition_and_verify(data, draw):
    n = len(data)
    index = draw.draw(st.integers(0, n - 1))
    proof = merkle.inclusion(H, index, n, nodes(data))
    assert proof == path(index, data)
    assert merkle.verify_inclusion(H, leaf(data[index]), index, n, proof, mth(data))
    m = draw.draw(st.integers(1, n))
    steps = merkle.consistency(H, m, n, nodes(data))
    assert steps == subproof(m, data, True)
    assert merkle.verify_consistency(H, m, n, steps, mth(data[:m]), mth(data))


@given(some, st.data())
def test_a_proof_of_anything_else_does_not_verify(data, draw):
    n = len(data)
    index = draw.draw(st.integers(0, n - 1))
    proof = merkle.inclusion(H, index, n, nodes(data))
    right = (leaf(data[index]), index, n, proof, mth(data))

    def holds(at, value):
        return merkle.verify_inclusion(H, *right[:at], value, *right[at + 1 :])

    assert not holds(0, leaf(data[index] + b"x"))
    assert not holds(3, [*proof, bytes(32)])
    assert not holds(4, bytes(32))
    assert not holds(1, n)
    assert not proof or not holds(3, proof[:-1])
    assert not proof or not holds(3, [bytes(32), *proof[1:]])
    m = draw.draw(st.integers(1, n))
    steps = merkle.consistency(H, m, n, nodes(data))
    assert not merkle.verify_consistency(H, m, n, steps, bytes(32), mth(data))
    assert not merkle.verify_consistency(H, m, n, steps, mth(data[:m]), bytes(32))
    assert not merkle.verify_consistency(H, m, n, [*steps, bytes(32)], mth(data[:m]), mth(data))


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_goes_on_where_it_stopped(first, more):
    data = [bytes([number]) for number in range(first + more)]
    tree = Frontier.resume(H, first, nodes(data))
    assert tree.root() == mth(data[:first])
    for one in data[first:]:
        tree.push(leaf(one))
    assert tree.root() == mth(data)


def test_the_subtrees_that_are_kept_are_those_of_every_eighth_level():
    tree, data = Frontier(H), [number.to_bytes(4) for number in range(1000)]
    kept = [one for value in data for one in tree.push(leaf(value))]
    assert [(level, number) for level, number, _ in kept] == [(STEP, 0), (STEP, 1), (STEP, 2)]
    assert all(digest == mth(data[number << level : number + 1 << level]) for level, number, digest in kept)
    above = Frontier(H)
    done = [one for number in range(300) for one in above.push(bytes([number % 256]), STEP)]
    assert [(level, number) for level, number, _ in done] == [(16, 0)]


def test_two_trees_beside_each_other_have_one_root():
    data = [number.to_bytes(4) for number in range(600)]
    whole, low = Frontier(H), Frontier(H)
    for at in (0, 256):
        whole.push(mth(data[at : at + 256]), STEP)
    for value in data[512:]:
        low.push(leaf(value))
    assert whole.joined(low) == mth(data)


def test_sm3_gives_the_digest_of_its_standard():
    # GB/T 32905-2016, annex A.1
    assert ALGORITHMS["sm3"](b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.parametrize("call", [
    lambda: merkle.inclusion(H, 3, 3, nodes(LEAVES)), lambda: merkle.inclusion(H, -1, 3, nodes(LEAVES)),
    lambda: merkle.consistency(H, 0, 3, nodes(LEAVES)), lambda: merkle.consistency(H, 4, 3, nodes(LEAVES)),
])  # fmt: skip
def test_what_no_tree_has_is_refused(call):
    with pytest.raises(ValueError, match=r"\d"):
        call()
