"""The seal: a Merkle tree over the ledger, what its leaves hash, and how its roots are signed. docs/sealing.md has the format."""
