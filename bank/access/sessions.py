"""The lifetime of sessions, and the age of their passwords.

A session ends after idle time (`BANK_IDLE_MINUTES`) and after a shift (`BANK_SHIFT_HOURS`). Its last use is written at
most once a minute, so an idle session may end up to a minute early. Automatic requests of a page carry a header, and do
not count as use.

The times in a session come from the clock that all web servers share (`clock.py`). A time in the future means that it
was set back. Its true age is unknown, so it counts as infinitely old: the session ends, and the password is not fresh.
"""

import math
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

from . import clock

POLL = "Bank-Poll"
"""The header of a page's automatic requests."""
STARTED, SEEN, PASSWORD = "started_at", "seen_at", "password_at"
PENDING = "second_factor_pending"
"""The user who gave the right password and no code yet."""
WRITTEN_EVERY = 60
"""The smallest number of seconds between two writes of a session's last use."""
SKEW = 60
"""The accepted clock difference of two web servers in seconds. A time in the future within it counts as now."""


@receiver(user_logged_in, dispatch_uid="bank.access.session_starts")
def start(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """Record the start of a session, from which all its limits count. Delete the expired sessions."""
    request.session[STARTED] = request.session[SEEN] = request.session[PASSWORD] = int(clock.seconds())
    Session.objects.filter(expire_date__lt=clock.now()).delete()


def age_of(moment: int) -> float:
    """Return the seconds since a time in a session, infinite if it lies in the future."""
    age = int(clock.seconds()) - moment
    return max(age, 0) if age >= -SKEW else math.inf


def why_ended(request: HttpRequest) -> str:
    """Return why a session has ended ("clock", "shift", "idle"), or the empty string. Record its use."""
    started, idle = age_of(request.session.get(STARTED, 0)), age_of(request.session.get(SEEN, 0))
    if math.inf in (started, idle):
        return "clock"
    if started >= settings.BANK_SHIFT_HOURS * 3600:
        return "shift"
    if idle >= settings.BANK_IDLE_MINUTES * 60:
        return "idle"
    if idle >= WRITTEN_EVERY and POLL not in request.headers:
        request.session[SEEN] = int(clock.seconds())
        request.session.may_be_lost = request.method == "GET"  # type: ignore[attr-defined]
    return ""


def seconds_left(request: HttpRequest) -> float:
    """Return the seconds until a session ends unless it is used."""
    return float(min(shift_left(request), settings.BANK_IDLE_MINUTES * 60 - age_of(request.session.get(SEEN, 0))))


def shift_left(request: HttpRequest) -> float:
    """Return the seconds until the end of a session's shift, which no use of the session moves."""
    return float(settings.BANK_SHIFT_HOURS * 3600 - age_of(request.session.get(STARTED, 0)))


def is_part(request: HttpRequest) -> bool:
    """Return whether a page asks for a part of itself. Several such requests may be under way when a session ends."""
    return request.method == "GET" and "HX-Request" in request.headers


# A fresh password


def confirm(request: HttpRequest) -> None:
    """Record that the password was just confirmed."""
    request.session[PASSWORD] = int(clock.seconds())
    request.session.cycle_key()


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the password was given within `BANK_FRESH_PASSWORD_MINUTES`."""
    return age_of(request.session.get(PASSWORD, 0)) < 60 * int(settings.BANK_FRESH_PASSWORD_MINUTES)


def fresh_password[**P](view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Require a fresh password for a view or an admin method. Otherwise ask for it and come back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = next(each for each in args if isinstance(each, HttpRequest))
        if is_fresh(request):
            return view(*args, **kwargs)
        return HttpResponseRedirect(f"{reverse('confirm')}?{urlencode({'next': request.get_full_path()})}")

    return guarded


# All sessions of a user


def opened() -> Iterator[tuple[Session, dict[str, Any]]]:
    """Yield all sessions with their content. A query cannot search it, because the database stores it encoded.

    Expired sessions are included, because they would be valid again if the clock were set back.
    """
    for session in Session.objects.iterator():
        yield session, session.get_decoded()


class Described(NamedTuple):
    """A session as its user sees it."""

    started: datetime
    used: datetime
    is_this: bool


def described(user: User, this: str | None) -> list[Described]:
    """Return the user's unexpired sessions, the latest first. `this` is the key of the current one."""
    found = []
    for session, held in opened():
        if held.get(SESSION_KEY) == str(user.pk) and session.expire_date >= clock.now():
            started, used = (datetime.fromtimestamp(held.get(name, 0), UTC) for name in (STARTED, SEEN))
            found.append(Described(started, used, session.session_key == this))
    return sorted(found, reverse=True)


def end_all(user: User, *, but: str | None = None) -> int:
    """End the user's sessions, those that wait for a code too, except `but`. Return their number."""
    ended = [
        session
        for session, held in opened()
        if (held.get(SESSION_KEY) == str(user.pk) or held.get(PENDING, {}).get("user") == user.pk)
        and session.session_key != but
    ]
    for session in ended:
        session.delete()
    return len(ended)
