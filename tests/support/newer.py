"""A newer version of the program: it records events that this version does not know."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from uuid import uuid4

from bank.application import process_managers, repository
from bank.domain import events
from eventstore import clock, store
from eventstore.events import Envelope, NewEvent, RecordedEvent
from projections import quarantine


def append(event_type: str, data: Mapping[str, Any], schema_version: int = 1, account_id: int = 1) -> RecordedEvent:
    """Append an event as another version of the program would."""
    stream = f"bank_account-{account_id}"
    version = max((event.version for event in store.read_stream(stream)), default=0)
    command = Envelope(uuid4(), "freeze_account", "", clock.now(), b"")
    event = NewEvent(event_type, data, schema_version)
    return store.append(stream, [event], expected_version=version, command=command)[0]


def freeze(account_id: int = 1) -> RecordedEvent:
    return append("account_frozen", {"accountId": account_id}, account_id=account_id)


def unfreeze(account_id: int = 1) -> RecordedEvent:
    return append("account_unfrozen", {"accountId": account_id}, account_id=account_id)


def credit(account_id: int, amount: int) -> RecordedEvent:
    """Append a deposit to an account that this version of the program cannot load."""
    data = {"accountId": account_id, "amount": amount}
    return append("money_deposited_into_bank_account", data, account_id=account_id)


@contextmanager
def newer_version(*known: str) -> Iterator[None]:
    """Let the program know some event types: they change no figure but the version."""
    healthy = events.decode

    def decode(event_type: str, schema_version: int, data: Mapping[str, Any]) -> Any:
        if event_type in known:
            return healthy("pin_changed", 1, data)
        return healthy(event_type, schema_version, data)

    with ExitStack() as stack:
        for module in (quarantine, process_managers, repository):
            stack.enter_context(mock.patch.object(module, "decode", decode))
        yield
