"""The auditor of accounts and tills: checks each event against the rules of the bank during a verification.

It needs no database and no model, so any process can check a part of the streams.
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.verification.findings import Finding, shown
from eventstore.verification.reader import ReadEvent
from projections.verification.sums import Cut, SumsUpTo

from ..domain.account import BankAccount
from ..domain.aggregate import new_aggregate
from ..domain.events import (
    AccountEvent,
    BankAccountCreated,
    MoneyTransferSent,
    PinChanged,
    UnknownEvent,
    UnreadablePayload,
    decode,
)
from ..domain.streams import OfAccount, OfTill
from ..domain.till import Till
from ..domain.till_verification import misfit_of_till
from ..domain.verification import CURRENCY, PIN_ATTEMPTS, misfit
from .reversals import Reversal, reversed_by
from .transfer_auditor import TransferAuditor

_SET_PIN = (BankAccountCreated, PinChanged)


class _Begun(NamedTuple):
    """The events so far of a command with several events, and the account before them."""

    command_id: str
    account: BankAccount
    pin_attempts: int | None
    events: tuple[AccountEvent, ...] = ()


class AccountAuditor:
    """The auditor of some accounts and tills.

    An event that this version of the program does not know is no fault. From there on its stream is not checked, and
    is listed in `unchecked`.

    Args:
        cuts: the events that the compared projections have applied.
    """

    def __init__(self, cuts: Iterable[Cut], zone: tzinfo | None = None) -> None:
        self.sums = SumsUpTo(cuts, zone)
        self.unchecked: dict[str, Finding] = {}
        self.pin_set_by: dict[str, str] = {}  # the command ids, by stream
        self.currencies: dict[str, str] = {}  # the stream of an account that was opened in each
        self.transfers = TransferAuditor()
        self.open_tills: dict[str, tuple[str, int]] = {}  # the teller and the shift, by stream
        self._rebuilt: dict[str, BankAccount | Till] = {}
        self.reversals: list[Reversal] = []
        self._begun: dict[str, _Begun] = {}

    def add(self, event: ReadEvent, command: str | None) -> str | None:
        """Add the next event, and return its fault, or None; see `stream_checker.Auditor`."""
        self.sums.skip(event)
        if event.stream in self.unchecked:
            return None
        try:
            what = decode(event.type, event.schema_version, event.data)
        except UnreadablePayload as error:
            return f"it cannot be read: {error}"
        except UnknownEvent as error:
            what_is_not = f"it cannot be checked from here on: {error}"
            self.unchecked[event.stream] = Finding(event.stream, event.version, event.position, what_is_not)
            self._rebuilt.pop(event.stream, None)
            return None
        if what.stream != event.stream:
            return f"it is about {what.stream}"
        self.sums.add(what, event)
        self.transfers.add(what, event)
        before = self._rebuilt.get(event.stream) or new_aggregate(event.stream)
        self._rebuilt[event.stream] = after = before.apply(what)  # type: ignore[arg-type]
        if isinstance(before, Till):
            assert isinstance(what, OfTill), "its stream is that of a till"
            assert isinstance(after, Till)
            self._note_teller(after)
            return misfit_of_till(before, what, event.metadata, command)
        assert isinstance(what, OfAccount), "its stream is that of an account"
        return self._misfit_of_account(before, what, event, command)

    def _misfit_of_account(
        self, before: BankAccount, what: AccountEvent, event: ReadEvent, command: str | None
    ) -> str | None:
        """Compare an event of an account with the decision of the rules."""
        if (currency := event.metadata.get(CURRENCY)) is not None:
            self.currencies.setdefault(shown(currency), event.stream)
        if type(what) in _SET_PIN:
            self.pin_set_by[event.stream] = event.command_id
        if correction := reversed_by(what):
            self.reversals.append(Reversal(event.stream, event.version, event.position, *correction))
        if type(what) is MoneyTransferSent and what.transfer_id != str(UUID(event.command_id)):
            return "its transferId is not the id of its command"
        attempts = event.metadata.get(PIN_ATTEMPTS)
        if command is not None and event.stream not in self._begun:  # most commands have one event
            return misfit(before, (what,), pin_attempts=attempts, command=command)
        return self._misfit_of_several(event, what, _Begun(event.command_id, before, attempts), command)

    def _misfit_of_several(self, event: ReadEvent, what: AccountEvent, new: _Begun, command: str | None) -> str | None:
        """Compare an event, and the earlier events of its command, with the decision of the rules."""
        begun = self._begun.pop(event.stream, new)
        if begun.command_id != event.command_id:
            begun = new
        events = (*begun.events[:2], what)  # a command has at most two events; a third is always a fault
        if command is None:
            self._begun[event.stream] = begun._replace(events=events)
        return misfit(begun.account, events, pin_attempts=begun.pin_attempts, command=command)

    def _note_teller(self, till: Till) -> None:
        """Remember who has the till after its last event."""
        if till.is_open:
            self.open_tills[till.stream] = till.teller, till.shift
        else:
            self.open_tills.pop(till.stream, None)

    def is_other_state(self, stream: str, state: Mapping[str, Any]) -> bool:
        """Return whether a snapshot's state differs from the aggregate after the events added so far.

        The state of another version of the program is not compared, because it is never loaded.
        """
        rebuilt = self._rebuilt.get(stream)
        saved = type(rebuilt).of_state(state) if rebuilt else None
        return saved is not None and saved != rebuilt

    def __getstate__(self) -> dict[str, Any]:
        """Return the parts that another process joins."""
        return {**self.__dict__, "_rebuilt": {}, "_begun": {}}

    def join(self, other: "AccountAuditor") -> None:
        """Add the results of an auditor of other streams."""
        self.sums.join(other.sums)
        self.transfers.join(other.transfers)
        self.pin_set_by |= other.pin_set_by
        self.currencies |= other.currencies
        self.open_tills |= other.open_tills
        self.unchecked |= other.unchecked
        self.reversals += other.reversals
