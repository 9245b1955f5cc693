"""Thin, typed names over flask-smorest: `takes` and `gives` carry the contract of an endpoint into code and document."""

import difflib
import http
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import flask_smorest
import orjson
from flask import Response, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from api import problems
from api.errors import BodyTooLarge, InvalidRequest, MalformedJson, NotJson
from api.schemas.common import ProblemSchema
from registry.errors import RegistryError

F = TypeVar("F", bound=Callable[..., Any])


class Parser(FlaskParser):
    """Reads parameters and bodies. What is unknown is refused by name, with the nearest name that exists."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE, "json": RAISE}  # noqa: RUF012 (as the library declares it)

    def load_querystring(self, req: Any, schema: Schema) -> Any:
        repeated = [name for name in req.args if len(req.args.getlist(name)) > 1]
        if repeated:
            raise InvalidRequest(
                {name: ["This parameter was given more than once. Give it once."] for name in repeated}
            )
        return dict(req.args)

    def load_json(self, req: Any, schema: Schema) -> Any:
        return body()

    def handle_error(self, error: ValidationError, req: Any, schema: Schema, **kwargs: Any) -> Any:
        messages: Any = error.messages
        # webargs puts everything under the name of the location.
        (found,) = messages.values()
        raise InvalidRequest(_flat(found, schema)) from error


def _flat(found: Any, schema: Schema, prefix: str = "") -> dict[str, list[str]]:
    """Messages by field, nested ones under a dotted name; an unknown name gets the nearest known one beside it."""
    flat: dict[str, list[str]] = {}
    known = [field.data_key or name for name, field in schema.fields.items() if not field.dump_only]
    for name, texts in found.items() if isinstance(found, dict) else [("_schema", found)]:
        if isinstance(texts, dict):
            flat |= _flat(texts, schema, f"{prefix}{name}.")
            continue
        listed = [str(text) for text in texts]
        if listed == ["Unknown field."]:
            near = difflib.get_close_matches(str(name), known, 1)
            listed = [
                f"Unknown name.{f' Did you mean {near[0]}?' if near else ''} Known are: {', '.join(known) or 'none'}."
            ]
        flat[f"{prefix}{name}"] = listed
    return flat


def body() -> dict[str, Any]:
    """The JSON object in the body. Raises NotJson, MalformedJson, InvalidRequest; a NUL byte anywhere is refused."""
    if not request.is_json:
        raise NotJson
    sent = request.get_data(cache=True)
    most = request.max_content_length
    if request.content_length is None and most is not None and len(sent) >= most:
        # A body without a length is cut at the limit, not refused: half of it must not pass for the whole.
        raise BodyTooLarge(most)
    if not sent.strip():
        raise MalformedJson("it is empty")
    try:
        found = orjson.loads(sent)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(str(error)) from error
    if not isinstance(found, dict):
        raise InvalidRequest({"body": ['Send one JSON object, in braces: {"name": value, …}.']})
    if (place := _nul_in(found)) is not None:
        raise InvalidRequest({place: ["The text contains a NUL byte. Remove it and send the request again."]})
    return found


def _nul_in(value: Any) -> str | None:
    """Where a text with a NUL byte stands, keys included; None if nowhere. No recursion: a body may be 1,024 deep."""
    waiting = [("", value)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and "\x00" in value:
            return place or "body"
        if isinstance(value, dict):
            for key, inner in value.items():
                if "\x00" in key:
                    return f"{place}.(a name)".lstrip(".")
                waiting.append((f"{place}.{key}".lstrip("."), inner))
        elif isinstance(value, list):
            waiting += ((f"{place}[{index}]", inner) for index, inner in enumerate(value))
    return None


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """The library's blueprint, with types."""

    ARGUMENTS_PARSER = Parser()

    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        decorate: Callable[[F], F] = super().get(rule, **options)
        return decorate

    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        decorate: Callable[[F], F] = super().post(rule, **options)
        return decorate

    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        decorate: Callable[[F], F] = super().put(rule, **options)
        return decorate

    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        decorate: Callable[[F], F] = super().delete(rule, **options)
        return decorate

    @staticmethod
    def doc(**said: Any) -> Callable[[F], F]:
        decorate: Callable[[F], F] = flask_smorest.Blueprint.doc(**said)
        return decorate


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with problem details for errors, in answers and in the document alike."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        # The library documents errors under the media type of everything else; this one time that is another.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = problems.MIMETYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problems.of_http(error)


def takes(schema: Schema, location: str = "json", *, example: Any = None) -> Callable[[F], F]:
    """The view gets the checked parameters (`location="query"`) or body as its next positional argument."""
    decorate: Callable[[F], F] = _BARE.arguments(schema, location=location, example=example)
    return decorate


def gives(
    schema: Schema | None,
    status: int = 200,
    *,
    also: int | None = None,
    errors: Iterable[type[RegistryError]] = (),
    content_type: str | None = None,
) -> Callable[[F], F]:
    """The view's result is shaped by `schema` and sent with `status`, or `also`, where the view says so.

    `errors` are what a caller should expect besides; every endpoint may answer 401, 422, 429 and 503 as well.
    """

    def decorate(view: F) -> F:
        shaped = _BARE.response(status, schema, content_type=content_type)(view)
        if also is not None:
            shaped = _BARE.alt_response(also, schema=schema, description="Unchanged", success=True)(shaped)
        by_status: dict[int, list[str]] = {}
        for error in errors:
            by_status.setdefault(error.status, []).append(error.code)
        for code, names in by_status.items():
            text = f"{http.HTTPStatus(code).phrase}: {', '.join(sorted(names))}"
            shaped = _BARE.alt_response(code, schema=ProblemSchema(), content_type=problems.MIMETYPE, description=text)(
                shaped
            )
        result: F = shaped
        return result

    return decorate


_BARE = Blueprint("bare", __name__)
