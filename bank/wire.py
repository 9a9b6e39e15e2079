"""What of a request Django must not see: it fails on it before any middleware can answer."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def only_utf8(application: Application) -> Application:
    """Return the application as it is when every body is in UTF-8, whatever its Content-Type says of a charset."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = plain(environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return answer


def plain(content_type: str) -> str:
    """Return a content type with its boundary and without all else; nothing where it cannot be read.

    Django takes any of Python's codecs for the charset, of which "idna" and "hex" fail on the first query string.
    """
    try:
        media_type, parameters = parse_header_parameters(content_type)
    except ValueError:
        return ""
    boundary = parameters.get("boundary", "")
    return f'{media_type}; boundary="{boundary}"' if boundary else media_type
