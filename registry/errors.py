"""Errors that a caller is expected to handle: what happened, and what to do next.

`code` is a public contract (docs/errors.md lists every one); the sentence may improve at any time.
"""


class RegistryError(Exception):
    """Base of every expected error. Clients switch on ``code``, so a code is never renamed or reused."""

    code = "registry_error"
    status = 500

    def __init__(self, detail: str, **context: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.context = context  # safe to show: never row contents or SQL


class ConfigError(RegistryError):
    code = "bad_settings"


class DatabaseBusy(RegistryError):
    code = "database_busy"
    status = 503

    def __init__(self) -> None:
        super().__init__("The database did not become free in time. Nothing was changed; try again in a few seconds.")


class NotInitialised(RegistryError):
    code = "not_initialised"
    status = 503

    def __init__(self) -> None:
        super().__init__("The database has no tables of this version yet. Run `xinheng init`, then start again.")


class EntityNotFound(RegistryError):
    code = "entity_not_found"
    status = 404

    def __init__(self, entity_code: str) -> None:
        super().__init__(
            f"No entity is registered under credit code {entity_code!r}. A code has 18 characters; the last is a "
            "check character. To search by name: the search page of `xinheng serve`, or GET /api/v1/entities?q=.",
            entity_code=entity_code,
        )


class BadRecord(RegistryError):
    """A record that its kind refuses. `problems` maps a field to what is wrong with it."""

    code = "bad_record"
    status = 422

    def __init__(self, problems: dict[str, list[str]]) -> None:
        listed = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in problems.items())
        super().__init__(f"The record was refused. {listed}", problems=problems)
        self.problems = problems


class RecordConflict(RegistryError):
    code = "record_conflict"
    status = 409


class RecordNotFound(RegistryError):
    code = "record_not_found"
    status = 404


class NotGraded(RegistryError):
    code = "not_graded"
    status = 404


class UnknownKind(RegistryError):
    code = "unknown_kind"
    status = 404


class UnknownScheme(RegistryError):
    code = "unknown_scheme"
    status = 404


class BadScheme(RegistryError):
    code = "bad_scheme"


class SchemeNotInForce(RegistryError):
    """The scheme has no cuts on the day that was asked for, so no class can follow."""

    code = "scheme_not_in_force"
    status = 422


class BadFile(RegistryError):
    """A file that cannot be read as what it is said to be. Nothing of it was stored."""

    code = "bad_file"
    status = 422


class NotAllowed(RegistryError):
    code = "not_allowed"
    status = 403


class TaskNotFound(RegistryError):
    code = "task_not_found"
    status = 404


class ListNotFound(RegistryError):
    code = "list_not_found"
    status = 404


class NothingToList(RegistryError):
    code = "nothing_to_list"
    status = 422


class NotADraw(RegistryError):
    code = "not_a_draw"
    status = 422


class BadCursor(RegistryError):
    code = "bad_cursor"
    status = 400


class IdempotencyConflict(RegistryError):
    code = "idempotency_conflict"
    status = 409


class NotEmpty(RegistryError):
    code = "registry_not_empty"
    status = 409
