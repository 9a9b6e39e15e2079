"""WSGI wrappers: what Django and a WSGI server disagree about, or what Django fails on before any middleware runs."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def only_utf8(application: Application) -> Application:
    """Return the application with every body read as UTF-8, whatever charset its Content-Type names."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = plain(environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return answer


def without_body_for_head(application: Application) -> Application:
    """Return the application with no body in its answers to HEAD.

    Django leaves that to the server, and waitress to the application. A client would take the body for the next answer.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        if hasattr(body, "close"):
            body.close()
        return []

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
