"""The pages of a request that failed: a database did not answer, the program failed, or the request was bad.

They are rendered without the request, because session, user and messages are in the database. They say whether the sent
form may have been recorded.
"""

import logging
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.views.defaults import page_not_found

from eventstore.errors import is_busy, outage_behind

from ..operations.installation import InstallationFault

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""The value of `Retry-After` in seconds."""
BARE = (
    "<!doctype html><title>Something went wrong</title><h1>Something went wrong</h1><p>Look before you try again.</p>"
)
"""The page if no template can be rendered."""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed: 503 if a database caused it, else 500."""
    error = sys.exc_info()[1]
    if error and (cause := outage_behind(error)):
        return no_answer(request, cause)
    try:
        return HttpResponseServerError(render_to_string("500.html", what_was_sent(request)))
    except Exception:
        logger.exception("The page for a fault cannot be rendered")
        return HttpResponseServerError(BARE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a bad request. For Django, that includes a session that was deleted or cannot be stored."""
    if cause := outage_behind(exception):
        return no_answer(request, cause)
    reasons = {DisallowedHost: "host", SessionInterrupted: "session"}
    context = {**what_was_sent(request), "reason": reasons.get(type(exception), "")}
    return HttpResponse(render_to_string("400.html", context), status=400)


class AccountNotShown(Http404):
    """An account is recorded whose first event this version of the program cannot project.

    `since` is the time of that event.
    """

    def __init__(self, since: datetime) -> None:
        super().__init__("This account cannot be shown now.")
        self.since = since


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer that nothing is at the address, or that an account cannot be shown now."""
    if isinstance(exception, AccountNotShown):
        return unavailable({"since": exception.since})
    return page_not_found(request, exception)


def no_answer(request: HttpRequest, cause: BaseException) -> HttpResponse:
    """Answer that the records are unavailable, and that a sent form may have been recorded or not.

    It logs one line. A traceback for each request of an outage would hide everything else.
    """
    reason = str(cause).partition("\n")[0]
    logger.error("No database for %s %s: %s: %s", request.method, request.path, type(cause).__name__, reason)
    response = unavailable({**what_was_sent(request), "busy": is_busy(cause)})
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def not_installed(request: HttpRequest, fault: InstallationFault) -> HttpResponse:
    """Answer that the installation cannot carry the task out, and that nothing has changed."""
    logger.error("Installation fault at %s %s: %s", request.method, request.path, fault)
    response = unavailable({"fault": fault.explanation})
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def unavailable(context: dict[str, Any]) -> HttpResponse:
    """Render the page without the request, and so without user and messages."""
    page = render_to_string("503.html", context)
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})


def what_was_sent(request: HttpRequest) -> dict[str, Any]:
    """Return the context for a link from a sent form to its receipt."""
    return {"sent": request.method == "POST", "command_id": command_id_of(request)}


def command_id_of(request: HttpRequest) -> UUID | None:
    """Return the command id of a sent form, if it can be read. No other field is read."""
    if request.method != "POST":
        return None
    try:
        return UUID(request.POST["command_id"])
    except Exception:  # an unreadable body, a missing field or an invalid id
        return None
