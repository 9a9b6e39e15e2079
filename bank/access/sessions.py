"""How long a session lasts, and whether its password is fresh.

A session ends after idle time (`BANK_IDLE_MINUTES`) and after a shift (`BANK_SHIFT_HOURS`), whatever happens. Its last
use is written at most once a minute, so an idle session may end up to a minute early. Requests that a page makes by
itself say so in a header, and do not count as use.

The moments in a session are of the server's clock, which can be set. One that lies in the future is of a clock that
was set back since; nobody knows how long ago it was, so it counts as long ago: the session ends, the password is old.
"""

import math
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
PENDING = "second_factor_pending"
"""The user whose password was right and whose code is still to come."""
WRITTEN_EVERY = 60
"""Seconds between two notes that a session is used."""
SKEW = 60
"""Seconds by which the clocks of two web servers may differ. A moment so little in the future counts as now."""


@receiver(user_logged_in, dispatch_uid="bank.access.session_starts")
def start(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """Note when a session starts: all its ends are counted from here. Delete the sessions that have expired."""
    request.session[STARTED] = request.session[SEEN] = request.session[PASSWORD] = int(time.time())
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


def age_of(moment: int) -> float:
    """Return the seconds since a moment that a session holds; without end where it lies in the future."""
    age = int(time.time()) - moment
    return max(age, 0) if age >= -SKEW else math.inf


def why_ended(request: HttpRequest) -> str:
    """Return why the session of a logged-in user is over ("clock", "shift", "idle"), or nothing; note its use."""
    started, seen = age_of(request.session.get(STARTED, 0)), age_of(request.session.get(SEEN, 0))
    if math.inf in (started, seen):
        return "clock"
    if started >= settings.BANK_SHIFT_HOURS * 3600:
        return "shift"
    if seen >= settings.BANK_IDLE_MINUTES * 60:
        return "idle"
    if seen >= WRITTEN_EVERY and POLL not in request.headers:
        request.session[SEEN] = int(time.time())
    return ""


# A fresh password


def confirm(request: HttpRequest) -> None:
    """Note that the password was just given again."""
    request.session[PASSWORD] = int(time.time())
    request.session.cycle_key()


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the password was given within `BANK_FRESH_PASSWORD_MINUTES`."""
    return age_of(request.session.get(PASSWORD, 0)) < 60 * int(settings.BANK_FRESH_PASSWORD_MINUTES)


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


def opened() -> Iterator[tuple[Session, dict[str, Any]]]:
    """Yield all sessions and what they hold, some hundreds: they are opaque to the database.

    Those that have expired are among them: they would live again if the clock were set back.
    """
    for session in Session.objects.iterator():
        yield session, session.get_decoded()


class Described(NamedTuple):
    """A session as its user is shown it."""

    started: datetime
    used: datetime
    is_this: bool


def described(user: User, this: str | None) -> list[Described]:
    """Return the user's sessions that have not expired, the latest first; `this` is the key of the one that asks."""
    found = []
    for session, held in opened():
        if held.get(SESSION_KEY) == str(user.pk) and session.expire_date >= timezone.now():
            started, used = (datetime.fromtimestamp(held.get(name, 0), UTC) for name in (STARTED, SEEN))
            found.append(Described(started, used, session.session_key == this))
    return sorted(found, reverse=True)


def end_all(user: User, *, but: str | None = None) -> int:
    """End the user's sessions, those that wait for a code too, but for the one of this key; return how many."""
    ended = [
        session
        for session, held in opened()
        if (held.get(SESSION_KEY) == str(user.pk) or held.get(PENDING, {}).get("user") == user.pk)
        and session.session_key != but
    ]
    for session in ended:
        session.delete()
    return len(ended)
