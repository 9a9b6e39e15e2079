"""Checks each event against the rules of the bank during a verification.

It needs no database and no model, so any process can check a part of the streams.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from eventstore.events import Place
from eventstore.verification.reader import ReadEvent
from projections.verification.sums import SumsUpTo

from ..application.streams import stream_of
from ..domain.account import BankAccount
from ..domain.events import BankAccountCreated, BankEvent, PinChanged, UnknownEvent, decode
from ..domain.verification import PIN_ATTEMPTS, misfit

_SET_PIN = (BankAccountCreated, PinChanged)


class _Begun(NamedTuple):
    """The events so far of a command that has more of them, and the account as it was before."""

    command_id: str
    account: BankAccount
    pin_attempts: int | None
    events: tuple[BankEvent, ...] = ()


class Hearing:
    """What was heard of some accounts.

    Args:
        places: how far the projections of the read side have come, if they are to be compared.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self.sums = SumsUpTo(places)
        self.pin_set_by: dict[str, str] = {}  # the commands, by streams
        self._accounts: dict[str, BankAccount] = {}
        self._begun: dict[str, _Begun] = {}

    def hear(self, event: ReadEvent, command: str | None) -> str | None:
        """Add the next event, and return what is wrong with it, if something is; see `checker.Auditor`."""
        try:
            what = decode(event.type, event.schema_version, event.data)
        except UnknownEvent as error:
            return f"it cannot be read: {error}"
        if stream_of(what.account_id) != event.stream:
            return f"it is about account {what.account_id}"
        self.sums.add(what, event)
        before = self._accounts.get(event.stream) or BankAccount(what.account_id)
        self._accounts[event.stream] = before.apply(what)
        if type(what) in _SET_PIN:
            self.pin_set_by[event.stream] = event.command_id
        attempts = event.metadata.get(PIN_ATTEMPTS)
        if command is not None and event.stream not in self._begun:  # most commands have one event
            return misfit(before, (what,), pin_attempts=attempts, command=command)
        return self._misfit_of_several(event, what, _Begun(event.command_id, before, attempts), command)

    def _misfit_of_several(self, event: ReadEvent, what: BankEvent, new: _Begun, command: str | None) -> str | None:
        """Compare an event, and those of its command before it, with what the rules decide."""
        begun = self._begun.pop(event.stream, new)
        if begun.command_id != event.command_id:
            begun = new
        events = (*begun.events[:2], what)  # two are the most that a command has; a third is wrong in any case
        if command is None:
            self._begun[event.stream] = begun._replace(events=events)
        return misfit(begun.account, events, pin_attempts=begun.pin_attempts, command=command)

    def state_of(self, stream: str) -> dict[str, Any] | None:
        """Return what a stream adds up to after the events that were heard."""
        account = self._accounts.get(stream)
        return asdict(account) if account else None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is of use to whoever goes on elsewhere."""
        return {**self.__dict__, "_accounts": {}, "_begun": {}}

    def join(self, other: "Hearing") -> None:
        """Take in what another one has heard of other accounts."""
        self.sums.join(other.sums)
        self.pin_set_by |= other.pin_set_by
