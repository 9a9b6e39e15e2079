"""The second factor: a time-based one-time code (TOTP, RFC 6238), kept and checked by django-otp.

Who has set one up is always asked for it; who is in one of `BANK_TOTP_ROLES` has to set one up. Until the code is
given nobody is logged in: the session only remembers, for some minutes, whose password was right.
"""

import logging
import time
from base64 import b32encode
from datetime import timedelta
from textwrap import wrap

import django_otp
import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.safestring import SafeString
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import events, sessions
from .throttle import TooManyTries

PENDING = "second_factor_pending"
PATIENCE = 300
"""Seconds between the password and the code."""
SET_UP_WITHIN = timedelta(hours=1)
"""A secret that was shown and not confirmed is replaced after this."""
SUPERUSER = "superuser"
"""How `BANK_TOTP_ROLES` names those who may do everything; the other names are of groups."""


def is_required(user: User) -> bool:
    """Tell whether one of the user's roles has to have a second factor."""
    roles = set(settings.BANK_TOTP_ROLES)
    if not roles:
        return False
    return (SUPERUSER in roles and user.is_superuser) or user.groups.filter(name__in=roles).exists()


def device_of(user: User) -> TOTPDevice | None:
    """Return the user's second factor, if one is set up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


# Between the password and the code


def begin(request: HttpRequest, user: User) -> None:
    """Remember whose password was right, in a session of a new key."""
    request.session.cycle_key()
    request.session[PENDING] = {"user": user.pk, "at": int(time.time()), "hash": user.get_session_auth_hash()}


def pending_user(request: HttpRequest) -> User | None:
    """Return whose password was right a short while ago, and still is."""
    pending = request.session.get(PENDING)
    if not pending or time.time() - pending["at"] >= PATIENCE:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    same = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if same else None


# Checking and setting up


def check(request: HttpRequest, user: User, device: TOTPDevice, code: str) -> bool:
    """Tell whether this is the device's code now. No code is good twice.

    Raises:
        TooManyTries: after wrong codes each further one has to wait, twice as long every time; none was looked at.
    """
    allowed, reason = device.verify_is_allowed()
    if not allowed:
        wait = max(1, -((timezone.now() - reason["locked_until"]) // timedelta(seconds=1)))
        events.log(f"Code throttled for {wait} s", request, user.get_username(), level=logging.WARNING)
        raise TooManyTries(wait)
    return django_otp.verify_token(user, device.persistent_id, code) is not None


def new_device(user: User) -> TOTPDevice:
    """Return the device that the user is setting up, with a secret that nobody has confirmed yet."""
    with transaction.atomic(using="default"):
        drafts = TOTPDevice.objects.filter(user=user, confirmed=False)
        drafts.filter(created_at__lt=timezone.now() - SET_UP_WITHIN).delete()
        device: TOTPDevice = drafts.first() or TOTPDevice.objects.create(user=user, name="Phone", confirmed=False)
        return device


def confirm(device: TOTPDevice) -> None:
    """Make a device, whose code was right, the user's only one."""
    with transaction.atomic(using="default"):
        TOTPDevice.objects.filter(user=device.user).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    device.refresh_from_db()


def picture_of(device: TOTPDevice) -> SafeString:
    """Return the QR code that an authenticator app reads, as SVG without styles, which the policy would refuse."""
    return SafeString(
        segno.make(device.config_url, micro=False).svg_inline(scale=5, border=4, light="#fff", title="QR code")
    )


def secret_of(device: TOTPDevice) -> str:
    """Return the secret as it is typed by hand: in groups of four."""
    return " ".join(wrap(b32encode(device.bin_key).decode(), 4))


def reset(user: User) -> bool:
    """Take away the user's second factor and end all sessions; return False where there was none."""
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    sessions.end_all(user)
    return bool(removed)
