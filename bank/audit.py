"""What a verification of the log asks of the bank: do the events make sense, and does all else fit them?

The event store checks that what is recorded is what was recorded (`eventstore.verify`). This checks that it is of a
bank: known events that decode, accounts that they can be of, a PIN verifier for each, the figures of the read side.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from eventstore import seals
from eventstore.heads import Head
from eventstore.records import RecordedEvent
from eventstore.verify import Finding, Report, verify
from projections.figures import Figures
from projections.projectors import Fact

from .domain.account import MAX_BALANCE, BankAccount
from .domain.events import BankAccountCreated, PinChanged, UnknownEvent, decode
from .pins import verifiers
from .repository import stream_of


def audit(
    *,
    using: str = "default",
    read_side: bool = True,
    since: Head | None = None,
    progress: Callable[[int], object] = lambda count: None,
) -> Report:
    """Verify the whole log of a bank, which may be open meanwhile.

    Args:
        using: the database that the log is in.
        read_side: whether the figures of the read side are compared as well.
        since: a head that the log has to extend.

    Raises:
        django.db.DatabaseError: a database cannot be read at all.
    """
    # The read side first: the log is then ahead of it.
    auditor = Audit(using, Figures() if read_side else None)
    return verify(auditors=[auditor], state_of=auditor.state_of, since=since, progress=progress, using=using)


class Audit:
    """Hears the events of a bank's log.

    Args:
        using: the database that the log is in.
        figures: the read side, if it is to be compared.
    """

    def __init__(self, using: str, figures: Figures | None = None) -> None:
        self.using = using
        self.figures = figures
        self.accounts: dict[str, BankAccount] = {}
        self.pin_set_by: dict[str, UUID] = {}

    def hear(self, event: RecordedEvent) -> str | None:
        """Take in the next event, and return what is wrong with it, if something is."""
        try:
            what = decode(event.type, event.schema_version, event.data)
        except UnknownEvent as error:
            return f"it cannot be read: {error}"
        if self.figures is not None:
            self.figures.add(Fact(what, event))
        if stream_of(what.account_id) != event.stream:
            return f"it is about account {what.account_id}"
        before = self.accounts.get(event.stream) or BankAccount(what.account_id)
        account = self.accounts[event.stream] = before.apply(what)
        if isinstance(what, BankAccountCreated | PinChanged):
            self.pin_set_by[event.stream] = event.command_id
        if before.is_open is isinstance(what, BankAccountCreated):
            return "the account was open before" if before.is_open else "the account was not open yet"
        if not 0 <= account.balance <= MAX_BALANCE:
            return f"it leaves a balance of {account.balance}"
        return None

    def state_of(self, stream: str) -> dict[str, Any] | None:
        """Return what a stream adds up to after the events that were heard."""
        account = self.accounts.get(stream)
        return asdict(account) if account else None

    def end(self) -> Iterator[Finding]:
        """Yield what does not fit the events as a whole."""
        yield from self._verifiers()
        if self.figures is not None:
            for row, what in self.figures.differences():
                yield Finding(f"the read side's {row}", 0, 0, what)

    def _verifiers(self) -> Iterator[Finding]:
        without = dict(self.pin_set_by)
        for account_id, verifier in verifiers(self.using):
            stream = stream_of(account_id)
            command_id = without.pop(stream, None)
            if command_id is None:
                yield Finding(stream, 0, 0, "there is a PIN verifier and no such account")
                continue
            try:
                seals.check(verifier.seal, verifier.text(account_id, command_id))
            except seals.BadSeal as error:
                yield Finding(stream, 0, 0, f"the PIN verifier is not the one that {command_id} set: {error}")
        for stream in sorted(without):
            yield Finding(stream, 0, 0, "the account has no PIN verifier")
