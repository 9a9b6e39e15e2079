"""One in 37 of the ten thousand PINs, each as the right one of an account and as a wrong one of another."""

import hashlib
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connections
from django.test import override_settings

from bank.application.dispatch import handle
from bank.domain.commands import ChangePin, Command, CreateBankAccount, WithdrawMoneyFromBankAccount
from bank.domain.errors import CommandRejected
from eventstore import clock as recorded
from projections import engine
from tests.support.databases import Urls
from tests.system.canaries.compare import difference, fresh_world
from tests.system.canaries.world import Other, Seen, as_it_is, other, see_databases

PINS = 10_000
STEP = 37
PAIRS = 4
"""One account in so many also tries a right and a wrong PIN, and changes its PIN."""


def see_commands(template: Urls, folder: Path, of: Other) -> list[str]:
    """Return a digest of everything observable while each PIN opens an account, and then the databases."""
    seen = Seen()
    digests = []
    later = override_settings(PROJECTION_MODE="worker")

    def see_statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.things.append(f"statement: {sql} {params}")
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        clock = stack.enter_context(fresh_world(template, folder, seen))
        stack.enter_context(recorded.set_to(clock.now))
        stack.enter_context(later)
        for connection in connections.all():
            connection.force_debug_cursor = False  # its log has no more detail, and costs five times as much
            stack.enter_context(connection.execute_wrapper(see_statement))
        for pin in range(0, PINS, STEP):
            account_id = pin + 1
            commands: list[Command] = [CreateBankAccount(account_id, "Josh", of(pin))]
            if pin // STEP % PAIRS == 0:
                commands += [
                    WithdrawMoneyFromBankAccount(account_id, 5, of(pin)),
                    WithdrawMoneyFromBankAccount(account_id, 5, of((pin + 1) % PINS)),
                    WithdrawMoneyFromBankAccount(account_id, 5, 10_000 + of(pin)),
                    ChangePin(account_id, of((pin + 2) % PINS)),
                ]
            for number, command in enumerate(commands):
                with suppress(CommandRejected):
                    seen.see("ack", handle(command, command_id=UUID(int=10 * pin + number)))
                seen.see("command", command)
            digests.append(f"{account_id}: {hashlib.sha256(repr(seen.take()).encode()).hexdigest()}")
        engine.catch_up()
        see_databases(seen)
    return [*digests, *seen.take()]


def test_with_pins_of_all_digits_two_banks_do_not_differ_in_a_byte(template: Urls, tmp_path: Path) -> None:
    one, two = (see_commands(template, tmp_path / "world", of) for of in (as_it_is, other))
    assert difference(one, two) == ""
    assert sum("money_withdrawn" in thing or "account_overdrawn" in thing for thing in one) >= PINS / STEP / PAIRS
