"""How long a session lasts, and whether its password is fresh.

A session ends after idle time (`BANK_IDLE_MINUTES`) and after a shift (`BANK_SHIFT_HOURS`), whatever happens. When it
was last used is written at most once a minute, so an idle session may end up to a minute early. Requests that a page
makes by itself say so in a header, and do not count as use.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

POLL = "Bank-Poll"
"""The header of a request that nobody made: a page asks by itself."""
STARTED, SEEN, PASSWORD = "started_at", "seen_at", "password_at"
WRITTEN_EVERY = 60
"""Seconds between two notes that a session is used."""


@receiver(user_logged_in, dispatch_uid="bank.access.session_starts")
def start(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """Note when a session starts: all its ends are counted from here."""
    request.session[STARTED] = request.session[SEEN] = request.session[PASSWORD] = int(time.time())


def why_ended(request: HttpRequest) -> str:
    """Return why the session of a logged-in user is over ("idle", "shift"), or nothing; note that it was used."""
    now = int(time.time())
    started, seen = request.session.get(STARTED, 0), request.session.get(SEEN, 0)
    if now - started >= settings.BANK_SHIFT_HOURS * 3600:
        return "shift"
    if now - seen >= settings.BANK_IDLE_MINUTES * 60:
        return "idle"
    if now - seen >= WRITTEN_EVERY and POLL not in request.headers:
        request.session[SEEN] = now
    return ""


# A fresh password


def confirm(request: HttpRequest) -> None:
    """Note that the password was just given again."""
    request.session[PASSWORD] = int(time.time())
    request.session.cycle_key()


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether the password was given within `BANK_FRESH_PASSWORD_MINUTES`."""
    given: int = request.session.get(PASSWORD, 0)
    return time.time() - given < 60 * int(settings.BANK_FRESH_PASSWORD_MINUTES)


def fresh_password[**P](view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Let a view, or an admin's method, be reached only with a fresh password; else ask for it and come back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = next(each for each in args if isinstance(each, HttpRequest))
        if is_fresh(request):
            return view(*args, **kwargs)
        return HttpResponseRedirect(f"{reverse('confirm')}?{urlencode({'next': request.get_full_path()})}")

    return guarded


# All sessions of a user


def sessions_of(user: User) -> Iterator[Session]:
    """Yield the user's sessions. Sessions are opaque to the database, so all that live are opened: some hundreds."""
    for session in Session.objects.filter(expire_date__gte=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            yield session


class Described(NamedTuple):
    """A session as its user is shown it."""

    started: datetime
    used: datetime
    is_this: bool


def described(user: User, this: str | None) -> list[Described]:
    """Return the user's sessions, the latest first; `this` is the key of the one that asks."""
    found = []
    for session in sessions_of(user):
        kept = session.get_decoded()
        started, used = (datetime.fromtimestamp(kept.get(name, 0), UTC) for name in (STARTED, SEEN))
        found.append(Described(started, used, session.session_key == this))
    return sorted(found, reverse=True)


def end_all(user: User, *, but: str | None = None) -> int:
    """End the user's sessions, but for the one of this key; return how many."""
    ended = [session for session in sessions_of(user) if session.session_key != but]
    for session in ended:
        session.delete()
    return len(ended)
