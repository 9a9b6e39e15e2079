"""Throttling of password tries, without letting a stranger lock a teller out.

A try is counted before the password is checked, in the database that all web processes share, so that simultaneous
tries do not evade the throttle. After some free tries each further one has to wait, and the wait doubles every time.

The origin of a try selects its counters:

- a device from which this user has logged in before, known by a signed cookie: only the counter of that device. The
  teller at the counter is never locked out by tries elsewhere. These are the "device cookies" of OWASP's cheat sheets.
- a place (address) from which this user has logged in before: the counters of user and place, and of the place.
- anywhere else: the counters of user and place, of the place, and of the user.
"""

import logging
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from . import clock, cookies, security_log
from .address import client_address, network_of
from .models import LogInTries

FREE_TRIES = 5
"""Free tries of one user at one device or place, enough for typing errors."""
FREE_TRIES_OF_USER = 20
"""Free tries of one user at all places together from which the user has not logged in before."""
FREE_TRIES_AT_PLACE = 50
"""Free tries of all users at one place: all counters of a branch may have one address."""
LONGEST_WAIT = 900
"""The longest wait in seconds. It limits strangers to about 125 tries of one user's password a day."""
FORGOTTEN = timedelta(days=1)
"""The time after which a count starts again."""
REMEMBERED = timedelta(days=90)
"""The time for which a device or place is known after its last log-in."""
DEVICE = "bank_device"
"""The cookie that identifies a device."""


class TooManyTries(Exception):
    """The try has to wait; nothing was checked."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries: wait {seconds} seconds.")
        self.seconds = seconds


class Counter(NamedTuple):
    """A counter of tries."""

    key: str
    free: int
    own: bool  # of one user at one device or place: a right password resets it


def admit(request: HttpRequest, username: str) -> list[Counter]:
    """Count a try, and return its counters for `succeed`.

    Raises:
        TooManyTries: the try came too early. It is not counted, because otherwise the wait would never end.
    """
    now = clock.now()
    counters = sorted(_counters(request, username, now))  # a fixed order prevents deadlocks
    tries = LogInTries.objects.using("default")
    _bound(tries.filter(key__in=[counter.key for counter in counters]), now)
    with transaction.atomic(using="default"):
        tries.bulk_create(
            [LogInTries(key=counter.key, since=now, last_at=now) for counter in counters], ignore_conflicts=True
        )
        rows = tries.select_for_update().order_by("key").in_bulk([counter.key for counter in counters])
        for row in rows.values():
            if now - row.since >= FORGOTTEN:
                row.tries, row.since = 0, now
        wait = max(_wait(rows[counter.key], counter.free, now) for counter in counters)
        if wait > 0:
            security_log.log(f"Throttled for {wait} s", request, security_log.known(username), level=logging.WARNING)
            raise TooManyTries(wait)
        for row in rows.values():
            row.tries, row.last_at = row.tries + 1, now
        tries.bulk_update(rows.values(), ["tries", "since", "last_at"])
    return counters


def succeed(counters: list[Counter]) -> None:
    """Undo the count of `admit`, because the password was right."""
    tries = LogInTries.objects.using("default").filter(tries__gt=0)
    tries.filter(key__in=[counter.key for counter in counters if counter.own]).update(tries=0)
    tries.filter(key__in=[counter.key for counter in counters if not counter.own]).update(tries=F("tries") - 1)


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Record the log-in from this device and place. Delete the counters that are long unused."""
    now = clock.now()
    device = _device(request) or secrets.token_urlsafe(16)
    cookies.set_signed_cookie(response, DEVICE, device, REMEMBERED)
    for key in (_device_key(device, username), _place_key(request, username)):
        LogInTries.objects.using("default").update_or_create(
            key=key, defaults={"logged_in_at": now}, create_defaults={"since": now, "last_at": now, "logged_in_at": now}
        )
    _bound(LogInTries.objects.using("default"), now)
    known = Q(logged_in_at__gte=now - REMEMBERED)
    LogInTries.objects.using("default").filter(since__lt=now - FORGOTTEN).exclude(known).delete()


def _counters(request: HttpRequest, username: str, now: datetime) -> list[Counter]:
    device = _device(request)
    device_key, place_key = _device_key(device, username), _place_key(request, username)
    known = set(
        LogInTries.objects.using("default")
        .filter(key__in=(device_key, place_key), logged_in_at__gte=now - REMEMBERED)
        .values_list("key", flat=True)
    )
    if device and device_key in known:
        return [Counter(device_key, FREE_TRIES, own=True)]
    counters = [
        Counter(place_key, FREE_TRIES, own=True),
        Counter(_key("place", network_of(client_address(request))), FREE_TRIES_AT_PLACE, own=False),
    ]
    if place_key not in known:
        counters.append(Counter(_key("user", username), FREE_TRIES_OF_USER, own=False))
    return counters


def _bound(rows: QuerySet[LogInTries], now: datetime) -> None:
    """Move future times to now: after the clock was set back, no wait or count may last until they come."""
    later = rows.filter(Q(since__gt=now) | Q(last_at__gt=now) | Q(logged_in_at__gt=now))
    for key in list(later.values_list("key", flat=True)):  # one row at a time prevents deadlocks
        for name in ("since", "last_at", "logged_in_at"):
            rows.filter(key=key, **{f"{name}__gt": now}).update(**{name: now})


def _wait(row: LogInTries, free: int, now: datetime) -> int:
    """Return the seconds until the next try, rounded up, at most `LONGEST_WAIT`."""
    if row.tries < free:
        return 0
    delay = min(LONGEST_WAIT, 2 ** min(row.tries - free, 30))
    passed = max(now - row.last_at, timedelta())  # another web server's clock may be slightly ahead
    return -((passed - timedelta(seconds=delay)) // timedelta(seconds=1))


def _device(request: HttpRequest) -> str:
    return cookies.signed_cookie(request, DEVICE, REMEMBERED)


def _device_key(device: str, username: str) -> str:
    return _key("device", device, username)


def _place_key(request: HttpRequest, username: str) -> str:
    return _key("user at place", network_of(client_address(request)), username)


def _key(*parts: str) -> str:
    return salted_hmac("bank.access.throttle", "\0".join(parts), algorithm="sha256").hexdigest()
