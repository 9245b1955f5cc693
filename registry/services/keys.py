"""Keys of the API: made, shown once, checked by hash, revoked."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from registry.database import find, write
from registry.errors import NotAllowed, RegistryError
from registry.models import ApiKey
from registry.services import audit, entities

SCOPES = {
    "entities:read": "find entities and read their records 查询主体及记录",
    "grades:read": "read class, score and reasons 查看风险分类及理由",
    "records:write": "post records of the key's organ 报送本机关记录",
    "tasks:write": "create tasks and pull inspection lists 建立任务、生成名单",
    "records:detail": "read personal details of records; each reading is on record 查看个人信息明细",
    "records:review": "review records before they are published, publish and stop 公示审核",
    "repairs:decide": "accept and decide repairs and objections 办理信用修复和异议",
    "listings:propose": "propose listings and removals 提出列入、移出意见",
    "listings:audit": "audit what another person proposed 审核列入、移出",
    "complaints:handle": "read who made a complaint or report 查看投诉举报人",
    "queue:decide": "decide whom waiting rows are about, merge entities 办理待匹配记录",
    "imports:write": "send files for import 上传导入文件",
    "imports:others": "send files that hold other organs' records, with imports:write 代报其他机关记录",
    "registrations:write": "import registrations from files, with imports:write 导入登记信息",
    "exchange:read": "fetch outbound batches, the withdrawal feed and reconciliation 数据交换",
    "ledger:audit": "read proofs and signed roots of the ledger 台账核验",
    "self:read": "an enterprise's own key: its own record, objections, repairs 企业自查",
    "overrides:propose": "propose a class for an entity in place of the scheme's, with grades:read 提出人工认定",
    "overrides:approve": "approve, refuse and end what another person proposed, with grades:read 审批人工认定",
    "schemes:propose": "propose schemes, compare them, try them in the shadow 提出评价方案",
    "schemes:approve": "approve or refuse proposed schemes 批准评价方案",
    "models:read": "read models, their reports and openings, with grades:read 查看模型",
    "models:train": "train, evaluate and shadow models, with grades:read 训练模型",
    "models:approve": "promote and retire models that another person trained, with grades:read 批准模型",
    "warnings:read": "read early warnings, with grades:read 查看风险预警",
    "warnings:work": "assign, dispose of, answer and close early warnings, with grades:read 办理风险预警",
    "raises:decide": "confirm, dismiss and end raises that a model suggests, with grades:read 决定类别上调",
    "tasks:approve": "approve or refuse tasks that another person made 审批任务",
    "items:write": "keep the list of items and the special databases 维护事项清单、专项库",
    "inspectors:read": "read the inspectors and their conflicts of interest 查看执法检查人员",
    "inspectors:write": "keep the inspectors 维护执法检查人员名录",
    "draws:make": "commit to and run draws, with grades:read 随机抽取",
    "draws:audit": "read the full minutes of draws, with grades:read 查看抽取记录内部联",
    "visits:assign": "assign inspectors to visits and drop visits 分派检查",
    "visits:work": "start and finish visits, enter results 开展检查、录入结果",
    "visits:review": "review results that another person entered 审核检查结果",
    "lists:read": "read the field copy of a list; the supervisor's copy also needs grades:read 查看名单",
}
# All that an enterprise's own key may do.
OWN = ("self:read",)
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


class NotAnEnterprisesKey(RegistryError):
    """The path is for the key of one enterprise, and this key belongs to nobody in particular."""

    code = "not_an_enterprises_key"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This shows an enterprise its own record, and this key is no enterprise's. Use the enterprise's own key "
            "(`xinheng key create NAME --entity CODE`), or GET /api/v1/entities/{code}/dossier."
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the key, its organ, and what it may do. `entity_code` is set where it is an enterprise's own key."""

    key: int
    name: str
    organ: str
    scopes: frozenset[str]
    divisions: tuple[str, ...]
    entity_code: str | None = None

    @property
    def actor(self) -> str:
        return f"key:{self.name}"

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def sees(self, division: str) -> bool:
        """Whether entities of this division are the caller's business; to an enterprise's own key no other one is."""
        return self.entity_code is None and any(division.startswith(prefix) for prefix in self.divisions)


def create(
    name: str,
    *,
    organ: str,
    scopes: list[str],
    divisions: list[str],
    actor: str,
    now: int,
    entity: str | None = None,
) -> str:
    """Make a key and return it: the only time it is shown. Raises NotAllowed for an unknown scope or an unfit name.

    With `entity` (credit code or registration number) it is that enterprise's own key: it reads the enterprise's own
    record, objects and applies for repair, and nothing else. Raises EntityNotFound where nobody has the code, NotAllowed
    where such a key is given other scopes, or divisions.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NotAllowed(f"A key's name has 1 to {LONGEST_NAME} characters; this one has {len(name)}. Choose another.")
    for scope in scopes:
        if scope not in SCOPES:
            raise NotAllowed(f"There is no scope {scope!r}. Scopes are: {', '.join(SCOPES)}.")
    owner = None if entity is None else _owner(entity, scopes, divisions)
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
            entity_code=owner,
            created_at=now,
        )
        whose: dict[str, Any] = {"entity": owner} if owner else {}
        audit.note(
            "key.created", actor=actor, subject=f"key {key.id}", now=now, name=name, scopes=sorted(set(scopes)), **whose
        )
    return secret


def _owner(entity: str, scopes: list[str], divisions: list[str]) -> str:
    """The code that an enterprise's own key is bound to."""
    other = sorted(set(scopes) - set(OWN))
    if other or divisions:
        raise NotAllowed(
            f"An enterprise's own key has the scope {' '.join(OWN)} and no division; it sees and acts for that "
            f"enterprise alone. Leave out: {', '.join(other) or 'the divisions'}."
        )
    found = entities.get(entity)
    code = found.code or found.registration_no
    assert code is not None  # it was found by one of the two
    return code


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
    return Caller(key.id, key.name, key.organ, frozenset(key.scopes), tuple(key.divisions), key.entity_code)


def every() -> list[ApiKey]:
    """All keys, newest first, without their secrets (nobody has those)."""
    return list(ApiKey.select().order_by(ApiKey.id.desc()))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
