"""WSGI wrappers for requests on which Django and WSGI servers disagree, or Django fails before any middleware runs."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def only_utf8(application: Application) -> Application:
    """Return the application with every body read as UTF-8, whatever charset the Content-Type names."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = plain(environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return answer


def below(path: str, application: Application) -> Application:
    """Return the application below a path, such as "/teller", whether the proxy in front removes it or not."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        rest = environ["PATH_INFO"].removeprefix(path)
        if rest.startswith("/"):
            environ["PATH_INFO"] = rest
        return application(environ, start_response)

    return answer


def without_body_for_head(application: Application) -> Application:
    """Return the application with empty bodies in its answers to HEAD.

    Django leaves this to the server, and waitress to the application. A client would read the body as the next answer.
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
    """Return a content type with no parameter but its boundary, or the empty string if it cannot be parsed.

    Django accepts any Python codec as charset, and fails on the first query string with "idna" or "hex".
    """
    try:
        media_type, parameters = parse_header_parameters(content_type)
    except ValueError:
        return ""
    boundary = parameters.get("boundary", "")
    return f'{media_type}; boundary="{boundary}"' if boundary else media_type
