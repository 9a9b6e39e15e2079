"""Leaks of a PIN to plant: a search that does not find them proves nothing."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock
from uuid import UUID

from django.test import override_settings

from bank.application import dispatch, handlers, pins
from bank.domain.commands import Command
from bank.domain.errors import MalformedPin
from bank.screens.forms import WithdrawForm
from eventstore.events import Envelope

type Leak = AbstractContextManager[Any]


def line_in_the_log_at_debug() -> Leak:
    check = pins.matches

    def matches(account_id: int, pin: int) -> bool:
        logging.getLogger("bank.application.pins").debug("PIN %04d for account %s", pin, account_id)
        return check(account_id, pin)

    return mock.patch.object(pins, "matches", matches)


def rejection_that_says_what_was_typed() -> Leak:
    def check_pin(pin: int) -> None:
        if pin % 10 == 2:
            raise MalformedPin("A PIN does not end in 2.")

    return mock.patch.object(handlers, "check_pin", check_pin)


def parity_bit_in_the_metadata() -> Leak:
    carry_out = dispatch._carry_out

    def tell(command: Command, envelope: Envelope, **options: Any) -> Any:
        bit = getattr(command, "pin", 0) % 2
        return carry_out(command, envelope._replace(actor=f"{envelope.actor}{bit}"), **options)

    return mock.patch.object(dispatch, "_carry_out", tell)


def salt_made_of_the_pin() -> Leak:
    make = pins.make_verifier

    def make_verifier(account_id: int, pin: int, command_id: UUID) -> pins.Verifier:
        return make(account_id, pin, command_id)._replace(salt=b"%016d" % pin)

    return mock.patch.object(pins, "make_verifier", make_verifier)


def error_reports_of_django_itself() -> Leak:
    return override_settings(
        DEFAULT_EXCEPTION_REPORTER="django.views.debug.ExceptionReporter",
        DEFAULT_EXCEPTION_REPORTER_FILTER="django.views.debug.SafeExceptionReporterFilter",
    )


def field_that_is_shown_again() -> Leak:
    return mock.patch.object(WithdrawForm.base_fields["pin"].widget, "render_value", new=True)


def outcome_that_depends_on_the_pin() -> Leak:
    """A back door: one PIN is right for every account."""
    check = pins.matches
    return mock.patch.object(pins, "matches", lambda account_id, pin: pin == 43 or check(account_id, pin))


LEAKS: dict[str, Callable[[], Leak]] = {
    make.__name__.replace("_", " "): make
    for make in (
        line_in_the_log_at_debug,
        rejection_that_says_what_was_typed,
        parity_bit_in_the_metadata,
        salt_made_of_the_pin,
        error_reports_of_django_itself,
        field_that_is_shown_again,
        outcome_that_depends_on_the_pin,
    )
}
