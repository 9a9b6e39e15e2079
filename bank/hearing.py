"""Hears the events of a bank's log for a verification: known events that decode, of accounts that they can be of.

It needs no database and no model, so that any process can hear a part of the streams.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from eventstore.records import Place
from eventstore.strict import ReadEvent
from projections.sums import SumsUpTo

from .domain.account import MAX_BALANCE, BankAccount
from .domain.events import BankAccountCreated, PinChanged, UnknownEvent, decode
from .streams import stream_of


class Hearing:
    """What was heard of some accounts.

    Args:
        places: how far the projections of the read side have come, if they are to be compared.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self.sums = SumsUpTo(places)
        self.pin_set_by: dict[str, str] = {}  # the commands, by streams
        self._accounts: dict[str, BankAccount] = {}

    def hear(self, event: ReadEvent) -> str | None:
        """Take in the next event, and return what is wrong with it, if something is."""
        try:
            what = decode(event.type, event.schema_version, event.data)
        except UnknownEvent as error:
            return f"it cannot be read: {error}"
        if stream_of(what.account_id) != event.stream:
            return f"it is about account {what.account_id}"
        self.sums.add(what, event)
        before = self._accounts.get(event.stream) or BankAccount(what.account_id)
        account = self._accounts[event.stream] = before.apply(what)
        opens = type(what) is BankAccountCreated
        if opens or type(what) is PinChanged:
            self.pin_set_by[event.stream] = event.command_id
        if before.is_open is opens:
            return "the account was open before" if opens else "the account was not open yet"
        if not 0 <= account.balance <= MAX_BALANCE:
            return f"it leaves a balance of {account.balance}"
        return None

    def state_of(self, stream: str) -> dict[str, Any] | None:
        """Return what a stream adds up to after the events that were heard."""
        account = self._accounts.get(stream)
        return asdict(account) if account else None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is of use to whoever goes on elsewhere."""
        return {**self.__dict__, "_accounts": {}}

    def join(self, other: "Hearing") -> None:
        """Take in what another one has heard of other accounts."""
        self.sums.join(other.sums)
        self.pin_set_by |= other.pin_set_by
