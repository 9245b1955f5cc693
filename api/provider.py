"""JSON by orjson: fast, strict (no NaN, no lone surrogates, at most 1,024 levels), Chinese as it is."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson. `response` is overridden too: through `dumps` alone the bytes would be made twice."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body: Any = self._prepare_response_obj(args, kwargs)
        return Response(orjson.dumps(body), mimetype="application/json")
