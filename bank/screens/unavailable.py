"""What is answered while a database does not: a page that needs none, and that is honest about what was sent.

It is rendered without the request, so without session, user and messages, which live in the database.
"""

import logging
import sys
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from eventstore.errors import outage_behind

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which a program that was turned away may ask again."""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed: 503 where a database's failure is at the bottom of it, else 500."""
    error = sys.exc_info()[1]
    cause = outage_behind(error) if error else None
    return no_answer(request, cause) if cause else defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that made no sense, or whose session could not be stored, which Django takes for the same."""
    cause = outage_behind(exception)
    return no_answer(request, cause) if cause else defaults.bad_request(request, exception)


def no_answer(request: HttpRequest, cause: BaseException) -> HttpResponse:
    """Say that the records do not answer, and, if something was sent, that it may have been recorded or not.

    It is logged here, once, in one line: a traceback for each request of an outage would hide everything else.
    """
    said = str(cause).partition("\n")[0]
    logger.error("No database for %s %s: %s: %s", request.method, request.path, type(cause).__name__, said)
    response = unavailable({"sent": request.method == "POST", "command_id": command_id_of(request)})
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def busy() -> HttpResponse:
    """Say that too many others were first, and that nothing has happened."""
    return unavailable({"busy": True})


def not_installed(request: HttpRequest, fault: Exception) -> HttpResponse:
    """Say that the bank cannot carry this out as it is installed, and that nothing has happened."""
    logger.error("Installation fault at %s %s: %s", request.method, request.path, fault)
    response = unavailable({"fault": True})
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def unavailable(context: dict[str, Any]) -> HttpResponse:
    """Render the page. It has no request, hence neither user nor messages."""
    page = render_to_string("503.html", context)
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})


def command_id_of(request: HttpRequest) -> UUID | None:
    """Return the id of the command that a task's form sent, if it can be read: what else was typed stays unread."""
    if request.method != "POST":
        return None
    try:
        return UUID(request.POST["command_id"])
    except Exception:  # a body that cannot be read, a field that is missing or is no id
        return None
