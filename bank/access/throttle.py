"""How often a password may be tried, without letting a stranger lock a teller out.

A try is counted before the password is looked at, in the database that all web processes share, so that many tries
at the same moment are no way around. After some free tries each further one has to wait, twice as long every time.

What a try counts under depends on where it comes from:

- a device from which this user has logged in before (a signed cookie says which): under that device alone. Whatever
  strangers do elsewhere, the teller at the counter gets in. These are the "device cookies" of OWASP's cheat sheets.
- a place (address) from which this user has logged in before: under user and place, and under the place.
- anywhere else: under user and place, under the place, and under the user.
"""

import logging
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from . import cookies, security_log
from .address import client_address, network_of
from .models import LogInTries

FREE_TRIES = 5
"""Of one user at one device or place, before waiting begins: enough for a slip of the hand."""
FREE_TRIES_OF_USER = 20
"""Of one user at all places that are new to this user together."""
FREE_TRIES_AT_PLACE = 50
"""Of all users at one place together: a branch may have one address for all its counters."""
LONGEST_WAIT = 900
"""In seconds. With it one user's password can be tried about 125 times a day by strangers, however many they are."""
FORGOTTEN = timedelta(days=1)
"""A count starts again this long after its first try."""
REMEMBERED = timedelta(days=90)
"""How long a device or place is known after the last log-in."""
DEVICE = "bank_device"
"""The cookie that tells a device."""


class TooManyTries(Exception):
    """This try has to wait; nothing was looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries: wait {seconds} seconds.")
        self.seconds = seconds


class Counter(NamedTuple):
    """What a try counts under."""

    key: str
    free: int
    own: bool  # of this user at this device or place: a right password sets it back to zero


def admit(request: HttpRequest, username: str) -> list[Counter]:
    """Count a try and return what it counted under, for `succeed`.

    Raises:
        TooManyTries: it came too early. It is not counted then, or those who wait would wait for ever.
    """
    now = timezone.now()
    counters = sorted(_counters(request, username, now))  # always in the same order: no deadlocks
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
    """Take back what `admit` counted: the password was right."""
    tries = LogInTries.objects.using("default").filter(tries__gt=0)
    tries.filter(key__in=[counter.key for counter in counters if counter.own]).update(tries=0)
    tries.filter(key__in=[counter.key for counter in counters if not counter.own]).update(tries=F("tries") - 1)


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Know the device and the place from now on: this user has logged in here. Forget those long unused."""
    now = timezone.now()
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
    """Move what lies in the future to now: the clock was set back, and a wait or a count must not last until then."""
    later = rows.filter(Q(since__gt=now) | Q(last_at__gt=now) | Q(logged_in_at__gt=now))
    for key in list(later.values_list("key", flat=True)):  # one row at a time: no deadlocks
        for name in ("since", "last_at", "logged_in_at"):
            rows.filter(key=key, **{f"{name}__gt": now}).update(**{name: now})


def _wait(row: LogInTries, free: int, now: datetime) -> int:
    """Return the seconds until the next try, rounded up, at most `LONGEST_WAIT`."""
    if row.tries < free:
        return 0
    delay = min(LONGEST_WAIT, 2 ** min(row.tries - free, 30))
    passed = max(now - row.last_at, timedelta())  # another web server's clock may be a little ahead
    return -((passed - timedelta(seconds=delay)) // timedelta(seconds=1))


def _device(request: HttpRequest) -> str:
    return cookies.signed_cookie(request, DEVICE, REMEMBERED)


def _device_key(device: str, username: str) -> str:
    return _key("device", device, username)


def _place_key(request: HttpRequest, username: str) -> str:
    return _key("user at place", network_of(client_address(request)), username)


def _key(*parts: str) -> str:
    return salted_hmac("bank.access.throttle", "\0".join(parts), algorithm="sha256").hexdigest()
