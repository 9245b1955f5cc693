"""Keys of the API: made, shown once, checked by hash, revoked."""

import hashlib
import secrets
from dataclasses import dataclass

from registry.database import find, write
from registry.errors import NotAllowed, RegistryError
from registry.models import ApiKey
from registry.services import audit

SCOPES = {
    "entities:read": "find entities and read their records 查询主体及记录",
    "grades:read": "read class, score and reasons 查看风险分类及理由",
    "records:write": "post records of the key's organ 报送本机关记录",
    "tasks:write": "create tasks and pull inspection lists 建立任务、生成名单",
    "lists:read": "read the field copy of a list; the supervisor's copy also needs grades:read 查看名单",
}
# So that a key that lies about can be recognised for what it is.
PREFIX = "xh_"
# "key:" and the name stand in columns of 64 characters: as the source of records, in the audit log.
LONGEST_NAME = 60


class BadKey(RegistryError):
    code = "bad_key"
    status = 401


class DuplicateName(RegistryError):
    code = "duplicate_name"
    status = 409


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the key, its organ, and what it may do."""

    key: int
    name: str
    organ: str
    scopes: frozenset[str]
    divisions: tuple[str, ...]

    @property
    def actor(self) -> str:
        return f"key:{self.name}"

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def sees(self, division: str) -> bool:
        """Whether entities of this division are the caller's business."""
        return any(division.startswith(prefix) for prefix in self.divisions)


def create(name: str, *, organ: str, scopes: list[str], divisions: list[str], actor: str, now: int) -> str:
    """Make a key and return it: the only time it is shown. Raises NotAllowed for an unknown scope or an unfit name."""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NotAllowed(f"A key's name has 1 to {LONGEST_NAME} characters; this one has {len(name)}. Choose another.")
    for scope in scopes:
        if scope not in SCOPES:
            raise NotAllowed(f"There is no scope {scope!r}. Scopes are: {', '.join(SCOPES)}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with write():
        if ApiKey.get_or_none(ApiKey.name == name) is not None:
            raise DuplicateName(f"There is a key {name!r} already. Choose another name, or revoke that one first.")
        key = ApiKey.create(
            name=name,
            digest=_digest(secret),
            organ=organ,
            scopes=sorted(set(scopes)),
            divisions=divisions or [""],
            created_at=now,
        )
        audit.note("key.created", actor=actor, subject=f"key {key.id}", now=now, name=name, scopes=sorted(set(scopes)))
    return secret


def revoke(name: str, *, actor: str, now: int) -> None:
    """Revoke a key; it stops working at once. Safe to repeat. Raises BadKey where there is none of that name."""
    with write():
        key = ApiKey.get_or_none(ApiKey.name == name)
        if key is None:
            raise BadKey(f"There is no key {name!r}. `xinheng key list` shows them.")
        if key.revoked_at is None:
            key.revoked_at = now
            key.save()
            audit.note("key.revoked", actor=actor, subject=f"key {key.id}", now=now, name=name)


def caller(secret: str) -> Caller:
    """Who holds this key. Raises BadKey for an unknown or revoked one, without saying which."""
    key = find(ApiKey, digest=_digest(secret))
    if key is None or key.revoked_at is not None:
        raise BadKey("The key is not valid. Send `Authorization: Bearer xh_…`; `xinheng key create` makes one.")
    return Caller(key.id, key.name, key.organ, frozenset(key.scopes), tuple(key.divisions))


def every() -> list[ApiKey]:
    """All keys, newest first, without their secrets (nobody has those)."""
    return list(ApiKey.select().order_by(ApiKey.id.desc()))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
