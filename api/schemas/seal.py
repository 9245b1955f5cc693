"""What the seal of the ledger looks like from outside."""

from marshmallow import Schema, fields, validate

from api.schemas.common import HIGHEST_SEQ, Out, Whole

HEX = {"pattern": "^[0-9a-f]*$"}


class RootOut(Out):
    """A signed root."""

    log = fields.String(required=True, metadata={"description": "Name of the log"})
    algorithm = fields.String(required=True, metadata={"description": "sha256 or sm3"})
    size = fields.Integer(required=True, metadata={"description": "Rows under this root: ledger rows 1 to `size`"})
    root = fields.String(required=True, metadata={"description": "Root of the Merkle tree, hexadecimal", **HEX})
    at = fields.Integer(required=True, metadata={"description": "When it was signed, milliseconds UTC"})
    previous = fields.String(required=True, metadata={"description": "Digest of the signed root before", **HEX})
    signature = fields.String(required=True, metadata={"description": "Ed25519 over the rest, docs/sealing.md", **HEX})


class RootPage(Out):
    items = fields.List(fields.Nested(RootOut), required=True)
    next = fields.String(required=True, allow_none=True)


class LeafOut(Out):
    hash = fields.String(required=True, metadata={"description": "Hash of the leaf", **HEX})
    salt = fields.String(required=True, allow_none=True, metadata={"description": "Salt of the row; null once erased"})
    row = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "The row as it was sealed, with a salted commitment per field of its detail"},
    )


class ProofOut(Out):
    format = fields.String(required=True)
    seq = fields.Integer(required=True, metadata={"description": "Ledger row; its leaf is number seq − 1"})
    erased = fields.Boolean(required=True, metadata={"description": "Lawfully erased: only the leaf is left"})
    leaf = fields.Nested(LeafOut, required=True)
    fields_ = fields.Dict(
        required=True,
        data_key="fields",
        attribute="fields",
        metadata={"description": "Shown fields with their salts; none over HTTP (`xinheng proof` shows them)"},
    )
    path = fields.List(fields.String(), required=True, metadata={"description": "Path to the root, from the leaf up"})
    root = fields.Nested(RootOut, required=True)
    public_key = fields.String(required=True, metadata={"description": "Ed25519 key of the log", **HEX})


class ConsistencyOut(Out):
    format = fields.String(required=True)
    from_ = fields.Nested(RootOut, required=True, data_key="from", attribute="from")
    to = fields.Nested(RootOut, required=True)
    path = fields.List(fields.String(), required=True, metadata={"description": "RFC 9162, section 2.1.4"})
    public_key = fields.String(required=True)


class ProofQuery(Schema):
    size = Whole(
        load_default=None,
        validate=validate.Range(1, HIGHEST_SEQ),
        metadata={"description": "Size of a signed root; default: the newest"},
    )


class ConsistencyQuery(Schema):
    first = Whole(
        required=True,
        data_key="from",
        validate=validate.Range(1, HIGHEST_SEQ),
        metadata={"description": "Size of the earlier signed root"},
    )
    second = Whole(
        required=True,
        data_key="to",
        validate=validate.Range(1, HIGHEST_SEQ),
        metadata={"description": "Size of the later signed root"},
    )
