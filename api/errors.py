"""Errors that only HTTP has. docs/errors.md lists them beside those of the registry."""

from collections.abc import Mapping, Sequence

from registry.errors import RegistryError


class BadRequest(RegistryError):
    """The request is not one that this server understands."""

    code = "bad_request"
    status = 400


class MalformedJson(RegistryError):
    """The body is not JSON."""

    code = "malformed_json"
    status = 400

    def __init__(self, why: str) -> None:
        super().__init__(f"The body is not valid JSON: {why}. Mend it at that place and send the request again.")


class InvalidRequest(RegistryError):
    """Fields or parameters that are refused. `problems` maps each to what is wrong with it."""

    code = "invalid_request"
    status = 422

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        listed = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in problems.items())
        super().__init__(f"The request was refused. {listed}", problems=problems)
        self.problems = problems


class MissingKey(RegistryError):
    """No key was sent."""

    code = "missing_key"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            "This needs a key. Send the header `Authorization: Bearer xh_…`; `xinheng key create` makes one."
        )


class MissingScope(RegistryError):
    """The key may not do this."""

    code = "missing_scope"
    status = 403

    def __init__(self, scope: str, what: str) -> None:
        super().__init__(
            f"{what} needs the scope {scope}, which this key does not have. Ask for a key that has it.", scope=scope
        )


class NoSuchPath(RegistryError):
    """Nothing lives at this path."""

    code = "no_such_path"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is nothing at this path. /api/v1/docs lists every path.")


class MethodNotAllowed(RegistryError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} is not possible here. The header Allow names the methods that are.")


class BodyTooLarge(RegistryError):
    """The body is larger than `[api] max_body`."""

    code = "body_too_large"
    status = 413

    def __init__(self, limit: int | None) -> None:
        most = f"at most {limit:,} bytes" if limit else "a limit"
        super().__init__(
            f"The body is too large: this server takes {most}. Send fewer records at once.", max_body=limit
        )


class NotJson(RegistryError):
    """The body is said to be something else than JSON."""

    code = "unsupported_media_type"
    status = 415

    def __init__(self) -> None:
        super().__init__("Send JSON, with the header `Content-Type: application/json`.")


class RateLimited(RegistryError):
    """The key, or the address that sent none, made too many requests in this minute."""

    code = "rate_limited"
    status = 429

    def __init__(self, limit: int, seconds: int, *, address: bool = False) -> None:
        who = "This key may make" if not address else "Without a key one address may make"
        super().__init__(
            f"{who} {limit:,} requests a minute and has made them. Try again in {seconds} s.",
            retry_after=seconds,
        )
        self.seconds = seconds


class IdempotencyKeyMissing(RegistryError):
    """A POST that would act twice if it were repeated came without the header Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400

    def __init__(self) -> None:
        super().__init__(
            "Send the header Idempotency-Key with a value of your own (a UUID, say), and the same value when you repeat "
            "the request: then it acts once."
        )


class BadIdempotencyKey(RegistryError):
    """The header Idempotency-Key holds something that cannot be one."""

    code = "bad_idempotency_key"
    status = 400

    def __init__(self) -> None:
        super().__init__("Idempotency-Key takes 1 to 128 visible ASCII characters without blanks, for example a UUID.")


class InternalError(RegistryError):
    """Something broke that nobody expected."""

    code = "internal_error"
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "Something went wrong here. The operator finds the cause in the log under the number in `instance`."
        )
