#!/usr/bin/env python3
"""Check exported proofs and signed roots of a Xinheng ledger, without Xinheng: this file needs Python 3.9 and nothing else.

    python verify_proof.py proof-812.json                       a proof that a row is in the ledger
    python verify_proof.py growth.json                          a proof that the ledger only grew between two roots
    python verify_proof.py --roots roots.jsonl                  the file of signed roots: every signature, every link
    python verify_proof.py proof-812.json --roots roots.jsonl   and that the root of the proof stands in that file
    ... --public-key HEX                                        the key you were told (64 hexadecimal digits); without it the
                                                                file's own is used, and that it was is said

Signatures (Ed25519) are checked where the package `cryptography` is installed; it says so where they were not.
Exit status: 0 everything holds, 1 something does not, 2 wrong use. docs/sealing.md describes the format.
"""

import argparse
import hashlib
import json
import sys

CONTEXT = b"xinheng root 1\n"


class Wrong(Exception):
    pass


def hasher(algorithm):
    if algorithm == "sha256":
        return lambda data: hashlib.sha256(data).digest()
    if algorithm == "sm3":
        if "sm3" in hashlib.algorithms_available:
            return lambda data: hashlib.new("sm3", data).digest()
        try:
            from cryptography.hazmat.primitives import hashes
        except ImportError:
            raise SystemExit("This Python has no SM3. Install the package cryptography.") from None

        def sm3(data):
            digest = hashes.Hash(hashes.SM3())
            digest.update(data)
            return digest.finalize()

        return sm3
    raise Wrong(f"unknown algorithm {algorithm!r}")


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def inclusion_root(h, leaf, index, size, path):
    """The root that the path leads to (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        raise Wrong("the row is not among those of the root")
    at, last, digest = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise Wrong("the path is too long")
        if at & 1 or at == last:
            digest = h(b"\x01" + step + digest)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            digest = h(b"\x01" + digest + step)
        at, last = at >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return digest


def check_consistency(h, first, second, path, first_root, second_root):
    """That the first tree is the beginning of the second (RFC 9162, section 2.1.4.2)."""
    if not 1 <= first <= second:
        raise Wrong("the first root is larger than the second")
    if first == second:
        if path or first_root != second_root:
            raise Wrong("two roots of one size differ")
        return
    steps = ([first_root] if first & (first - 1) == 0 else []) + path
    if not steps:
        raise Wrong("the path is empty")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise Wrong("the path is too long")
        if at & 1 or at == last:
            old, new = h(b"\x01" + step + old), h(b"\x01" + step + new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = h(b"\x01" + new + step)
        at, last = at >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise Wrong("the later ledger does not begin with the earlier one")


def root_digest(h, root):
    return h(b"\x05" + canonical(root)).hex()


def check_signature(root, public_key):
    """True where the signature holds, None where it cannot be checked here."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    signed = CONTEXT + canonical({name: value for name, value in root.items() if name != "signature"})
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(root["signature"]), signed)
    except (InvalidSignature, ValueError):
        raise Wrong(f"the root of {root['size']} rows is not signed by the key {public_key}") from None
    return True


def check_leaf(h, proof):
    """The leaf follows from the row, and the fields that are shown from their commitments."""
    leaf = proof["leaf"]
    if leaf["row"] is None:
        return "lawfully erased: only its leaf is left"
    row, salt = leaf["row"], bytes.fromhex(leaf["salt"])
    if row["seq"] != proof["seq"]:
        raise Wrong("the leaf is that of another row")
    if h(b"\x00" + salt + canonical(row)).hex() != leaf["hash"]:
        raise Wrong("the row is not what was sealed")
    for name, shown in proof["fields"].items():
        made = h(b"\x02" + bytes.fromhex(shown["salt"]) + canonical([name, shown["value"]])).hex()
        if row["detail"].get(name) != made:
            raise Wrong(f"the field {name} is not what was sealed")
    return f"{len(proof['fields'])} of {len(row['detail'])} fields shown"


def check_proof(proof, roots, public_key):
    if "path" not in proof:
        raise Wrong("this is no exported proof")
    path = [bytes.fromhex(step) for step in proof["path"]]
    key = public_key or proof["public_key"]
    if "seq" in proof:
        root = proof["root"]
        h = hasher(root["algorithm"])
        said = check_leaf(h, proof)
        if (
            inclusion_root(h, bytes.fromhex(proof["leaf"]["hash"]), proof["seq"] - 1, root["size"], path).hex()
            != root["root"]
        ):
            raise Wrong("the path does not lead to the root")
        used = [root]
        text = f"row {proof['seq']} is in the ledger of {root['size']} rows ({said})"
    else:
        first, second = proof["from"], proof["to"]
        if (first["log"], first["algorithm"]) != (second["log"], second["algorithm"]):
            raise Wrong("the two roots belong to different logs")
        check_consistency(
            hasher(first["algorithm"]),
            first["size"],
            second["size"],
            path,
            bytes.fromhex(first["root"]),
            bytes.fromhex(second["root"]),
        )
        used = [first, second]
        text = f"the ledger of {second['size']} rows begins with that of {first['size']} rows"
    signed = [check_signature(root, key) for root in used]
    for root in used if roots is not None else []:
        if roots.get(root["size"]) != root:
            raise Wrong(f"the root of {root['size']} rows is not the one in the file of roots")
    print(f"OK: {text}" + (", its root stands in the file of roots" if roots is not None else ""))
    return None not in signed


def check_roots(path, public_key):
    """Every line of a file of roots; the roots by size, and whether their signatures were checked."""
    found, previous, size, signed, heading, torn = {}, "00" * 32, 0, True, None, ""
    with open(path, encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            if torn and not line.startswith(torn):
                raise Wrong(f"line {number - 1} was altered")
            torn = ""
            try:
                said = json.loads(line)
            except ValueError:
                # Cut off by a crash; the next line has all of it.
                torn = line.rstrip("\n")
                continue
            if heading is None:
                heading = said
                if "public_key" not in said:
                    raise Wrong("line 1 is no heading: it was removed")
                if public_key and said["public_key"] != public_key:
                    raise Wrong("the file was begun with another public key than the one you gave")
                continue
            if said["log"] != heading["log"] or said["previous"] != previous or said["size"] <= size:
                raise Wrong(f"line {number} does not follow the one before: lines were removed, moved or exchanged")
            signed = check_signature(said, public_key or heading["public_key"]) is not None and signed
            found[said["size"]] = said
            previous, size = root_digest(hasher(said["algorithm"]), said), said["size"]
    if heading is None:
        raise Wrong("the file is empty")
    print(f"OK: {len(found)} signed roots in a chain, the last over {size} rows")
    return found, signed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", nargs="?")
    parser.add_argument("--roots")
    parser.add_argument("--public-key")
    given = parser.parse_args(arguments)
    if not given.proof and not given.roots:
        parser.error("name a proof, a file of roots, or both")
    if given.public_key is not None:
        given.public_key = given.public_key.strip().lower()
        if len(given.public_key) != 64 or given.public_key.strip("0123456789abcdef"):
            parser.error("--public-key is no key: give its 64 hexadecimal digits, as `xinheng verify` prints them")
    signed, roots = True, None
    try:
        if given.roots:
            roots, signed = check_roots(given.roots, given.public_key)
        if given.proof:
            with open(given.proof, encoding="utf-8") as handle:
                signed = check_proof(json.load(handle), roots, given.public_key) and signed
    except (Wrong, KeyError, TypeError, AttributeError, ValueError) as error:
        print(f"WRONG: {error}" if isinstance(error, Wrong) else f"WRONG: this is not in the format ({error!r})")
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if not signed:
        print("Note: signatures were not checked; install the package cryptography for that.")
    elif given.public_key is None:
        print(
            "Note: the key came with the file, and nothing shows that it is the registry's: whoever makes up a proof can make up "
            "its key too. Ask the registry for its public key in another way and give it with --public-key."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
