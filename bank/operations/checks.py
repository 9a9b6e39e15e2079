"""System checks of an installation: open files, missing keys, another currency and altered tables of the record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core import checks
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor

from eventstore.backends import backend_of
from eventstore.private_files import FOLDER, mode_of
from eventstore.verification.schema import differences
from projections import freshness

from ..application import currency
from . import data_files, key_faults
from .record_schema import RECORD

LACKS = {
    "PIN_KEYS": "The PIN of {accounts} cannot be checked, and withdrawals from there are not carried out.",
    "SEAL_KEYS": "What the missing key has sealed cannot be verified.",
}
"""The consequence of a missing key, by setting."""


@checks.register
def check_files(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of each file and folder of the bank that other users of the machine can use."""
    try:
        return [
            checks.Warning(
                f"Other users of this machine can use {path} (its mode is {mode_of(path):04o}).",
                hint=f"Run `chmod {mode:o} {path}`." + (_why_left_open(path) if mode == FOLDER else ""),
                id="bank.W001",
            )
            for path, mode in data_files.open_paths()
        ]
    except OSError as error:
        return [checks.Warning(f"The modes of the bank's files cannot be read: {error}.", id="bank.W001")]


def _why_left_open(folder: Path) -> str:
    if not data_files.holds_other_files():
        return ""
    return " `start` leaves it as it is, because it holds other files too: give the bank a folder of its own."


@checks.register
def check_keys(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of each setting that lacks a key of the bank. An unavailable database causes no warning here."""
    if not backend_of().exists():
        return []
    try:
        faults = key_faults.find()
    except (DatabaseError, InterfaceError):  # not migrated, or unavailable
        return []
    return [
        checks.Warning(
            f"{fault.setting} lacks {' and '.join(fault.missing)}, by the id of the key. "
            + LACKS[fault.setting].format(accounts="every account" if fault.none_fits else "some accounts"),
            hint=f"Put the missing key behind the others: {fault.setting}=first,missing. See docs/trust.md, Keys.",
            id="bank.W002",
        )
        for fault in faults
    ]


@checks.register
def check_currency(**kwargs: Any) -> list[checks.CheckMessage]:
    """Let no command run with another currency than the recorded one."""
    if not backend_of().exists() or connections["default"].in_atomic_block:
        return []
    try:
        currency.check()
    except currency.WrongCurrency as fault:
        return [checks.Error(str(fault), id="bank.E001")]
    except (DatabaseError, InterfaceError):
        pass
    return []


@checks.register(checks.Tags.database)
def check_read_side(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of projections that another version of the program, or another setting, has built."""
    if "projections" not in (databases or ()) or connections["projections"].in_atomic_block:
        return []
    try:
        stale = freshness.stale()
    except (DatabaseError, InterfaceError):  # not migrated, or unavailable
        return []
    if not stale:
        return []
    return [
        checks.Warning(
            f"Another version of the program or another setting has built the projections {', '.join(stale)}.",
            hint=f"Run `manage.py replay_projections {' '.join(stale)}`. The bank may stay open meanwhile.",
            id="bank.W004",
        )
    ]


@checks.register(checks.Tags.database)
def check_record(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of each missing or altered trigger or constraint of the record, once the database is migrated."""
    connection = connections["default"]
    if "default" not in (databases or ()) or connection.in_atomic_block:
        return []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return []
        with backend_of().one_moment():
            found = list(differences("default", RECORD[backend_of().name]))
    except (DatabaseError, InterfaceError):
        return []
    return [
        checks.Warning(
            f"{name}: {what}",
            hint="The record may have been changed meanwhile: run verify_events, with a head.",
            id="bank.W003",
        )
        for name, what in found
    ]
