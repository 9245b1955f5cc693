"""What the web server loads: `granian --interface wsgi api.wsgi:app`."""

from collections.abc import Callable, Iterable
from typing import Any

from api.app import create_app


class EndsByItself:
    """Says that the server ends the body of a chunked request by itself, as granian does.

    Without a word on that, a body without a length is taken for an empty one. The largest size still holds.
    """

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "CONTENT_LENGTH" not in environ:
            environ["wsgi.input_terminated"] = True
        return self.inner(environ, start_response)


app = create_app()
app.wsgi_app = EndsByItself(app.wsgi_app)  # type: ignore[method-assign]
