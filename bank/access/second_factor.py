"""The second factor: a time-based one-time code (TOTP, RFC 6238). django-otp stores the secrets and computes the codes.

A user with a second factor must always give a code. A user in one of `BANK_TOTP_ROLES` must set one up. Nobody is
logged in before the code is given: the session only remembers for some minutes which user gave the right password.

An unconfirmed second factor is a draft of one session. Its secret is not stored: it is derived from `SECRET_KEY`, a
random number in the session and everything that the draft depends on.
"""

import logging
import secrets
from base64 import b32encode
from datetime import timedelta
from textwrap import wrap

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import clock, security_log, sessions
from .models import UsedCode
from .sessions import PENDING
from .throttle import TooManyTries

DRAFT = "second_factor_draft"
KEY_BYTES = 20
"""160 bits, as RFC 4226 recommends."""
PATIENCE = 300
"""The largest number of seconds between the password and the code."""
SUPERUSER = "superuser"
"""The name of superusers in `BANK_TOTP_ROLES`; all other names are groups."""


def is_required(user: User) -> bool:
    """Return whether one of the user's roles requires a second factor."""
    roles = set(settings.BANK_TOTP_ROLES)
    if not roles:
        return False
    return (SUPERUSER in roles and user.is_superuser) or user.groups.filter(name__in=roles).exists()


def device_of(user: User) -> TOTPDevice | None:
    """Return the user's second factor, if it is set up. An unconfirmed device of an earlier version does not count."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


# Between the password and the code


def begin(request: HttpRequest, user: User) -> None:
    """Store the user who gave the right password in the session, under a new session key."""
    request.session.cycle_key()
    request.session[PENDING] = {"user": user.pk, "at": int(clock.seconds()), "hash": user.get_session_auth_hash()}


def pending_user(request: HttpRequest) -> User | None:
    """Return the user who recently gave a password that is still right. Forget a log-in that took too long."""
    pending = request.session.get(PENDING)
    if not pending or sessions.age_of(pending["at"]) >= PATIENCE:
        forget(request)
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    same = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if same else None


def forget(request: HttpRequest) -> None:
    """Remove a pending log-in and a draft from the session."""
    for name in (PENDING, DRAFT):
        if name in request.session:
            del request.session[name]


# Checking a code


def check(request: HttpRequest, user: User, device: TOTPDevice, code: str) -> bool:
    """Return whether the code is the device's current one. No code is accepted twice, even if the clock is set back.

    Raises:
        TooManyTries: the code came too early and was not checked. The wait doubles with each wrong code.
    """
    with transaction.atomic(using="default"):
        locked = TOTPDevice.objects.select_for_update().filter(pk=device.pk, user=user, confirmed=True).first()
        if locked is None:
            return False
        wait = _wait(locked)
        if not wait:
            step = _step_of(locked, code)
            if step is None or UsedCode.objects.filter(user=user, step=step).exists():
                locked.throttle_increment()
                return False
            _use(locked, step)
            return True
    security_log.log(f"Code throttled for {wait} s", request, user.get_username(), level=logging.WARNING)
    raise TooManyTries(wait)


def _wait(device: TOTPDevice) -> int:
    """Return the seconds until the next try, rounded up. A failure in the future counts as one of now."""
    now = timezone.now()  # as django-otp has it
    if device.throttling_failure_timestamp and device.throttling_failure_timestamp > now:
        device.throttling_failure_timestamp = now
        device.save(update_fields=["throttling_failure_timestamp"])
    allowed, reason = device.verify_is_allowed()
    return 0 if allowed else max(1, -((now - reason["locked_until"]) // timedelta(seconds=1)))


def _step_of(device: TOTPDevice, code: str) -> int | None:
    """Return the time step of a code that is right now, or one step earlier or later.

    Steps up to the last used one are refused. If the last used step lies in the future, the clock was set back, and
    this rule would lock the user out; `UsedCode` then refuses the used codes.
    """
    app = TOTP(device.bin_key, device.step, device.t0, device.digits)
    app.time = clock.seconds()
    set_back = device.last_t > app.t() + device.tolerance
    right = app.verify(int(code), device.tolerance, None if set_back else device.last_t + 1)
    return int(app.t()) if right else None


def _use(device: TOTPDevice, step: int) -> None:
    """Record that this step's code was used, and that the device works."""
    device.last_t = step
    device.throttle_reset(commit=False)
    device.set_last_used_timestamp(commit=False)
    device.save()
    UsedCode.objects.create(user=device.user, step=step)


# Setting up


def draft(request: HttpRequest, user: User) -> tuple[TOTPDevice, bool]:
    """Return the unsaved device that this session sets up, and whether it is new.

    A new draft replaces it when the session key changes (log-in, log-out, password confirmed or changed), or when any
    session changes the user's password or second factor.
    """
    depends_on = _depends_on(request, user)
    held = request.session.get(DRAFT, {})
    if is_new := held.get("on") != depends_on:
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()  # an earlier version may have left some
        held = request.session[DRAFT] = {"seed": secrets.token_hex(32), "on": depends_on}
    key = salted_hmac(DRAFT, f"{held['seed']} {depends_on}", algorithm="sha256").digest()[:KEY_BYTES]
    return TOTPDevice(user=user, name="Phone", key=key.hex()), is_new


def confirm(request: HttpRequest, user: User, device: TOTPDevice, code: str) -> bool:
    """Make a draft the user's only device if the code is right. Return whether it is."""
    with transaction.atomic(using="default"):
        locked = User.objects.select_for_update().get(pk=user.pk)
        step = _step_of(device, code)
        if step is None or request.session[DRAFT]["on"] != _depends_on(request, locked):
            return False
        _remove(user)
        _use(device, step)
    forget(request)
    return True


def _depends_on(request: HttpRequest, user: User) -> str:
    """Return a digest of everything that a draft depends on: session key, password and second factor."""
    device = device_of(user)
    parts = (request.session.session_key, user.pk, user.get_session_auth_hash(), device and device.pk)
    return salted_hmac(DRAFT, repr(parts), algorithm="sha256").hexdigest()


def _remove(user: User) -> bool:
    """Remove the user's devices. Return whether there was one."""
    UsedCode.objects.filter(user=user).delete()  # they belong to the removed secret
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    return bool(removed)


def picture_of(device: TOTPDevice) -> SafeString:
    """Return the QR code for an authenticator app, as SVG without styles, which the CSP forbids."""
    code = segno.make(device.config_url, micro=False)
    return SafeString(code.svg_inline(scale=5, border=4, light="#fff", title=gettext("QR code")))


def secret_of(device: TOTPDevice) -> str:
    """Return the secret in groups of four characters, for typing."""
    return " ".join(wrap(b32encode(device.bin_key).decode(), 4))


def reset(user: User) -> bool:
    """Remove the user's second factor, and end all sessions. Return False if there was none."""
    with transaction.atomic(using="default"):
        removed = _remove(user)
        sessions.end_all(user)
    return removed
