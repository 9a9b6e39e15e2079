"""Verification of the bank's record: the chain and the seals, and the meaning of the events.

`eventstore.verification.verify` checks the integrity of the record. This module adds the checks of the bank: the events
of accounts and tills (`account_auditor.py`), a PIN verifier for each account, the currency, the tellers of open tills,
what each correction reverses (`reversals.py`), and the figures of the read side.
"""

from collections.abc import Callable, Iterator
from uuid import UUID

from eventstore import seals
from eventstore.backends import backend_of
from eventstore.errors import UNREADABLE
from eventstore.verification.findings import Finding, shown
from eventstore.verification.reader import binary
from eventstore.verification.schema import differences
from eventstore.verification.signed_heads import Head
from eventstore.verification.verify import Report, verify
from projections.verification.figures import Figures

from ..application import currency, tills
from ..application.currency import Currency
from ..application.pins import Verifier, verifiers
from ..domain.streams import stream_of, stream_of_till
from . import reversals
from .account_auditor import AccountAuditor
from .record_schema import RECORD


def audit(
    *,
    using: str = "default",
    read_side: bool = True,
    since: Head | None = None,
    progress: Callable[[int], object] = lambda count: None,
    processes: int | None = None,
) -> Report:
    """Verify the whole log of a bank. The bank may be open.

    Args:
        using: the alias of the database with the log.
        read_side: whether to compare the figures of the read side.
        since: a signed head that the log must extend.
        processes: the number of processes that check events; by default as many as make it faster.

    Raises:
        eventstore.verification.parallel.Unfinished: a process could not be started, or ended early.
        django.db.DatabaseError: a database cannot be read at all.
    """
    # The read side is read first, so that the log is never behind it.
    figures = Figures() if read_side else None

    def conclude(auditor: AccountAuditor) -> Iterator[Finding]:
        for name, what in differences(using, RECORD[backend_of(using).name]):
            yield Finding(name, 0, 0, what)
        yield from _verifiers(using, auditor)
        yield from _currency(using, auditor)
        yield from _open_tills(using, auditor)
        yield from reversals.findings(using, auditor.reversals)
        yield from auditor.transfers.findings(auditor.unchecked)
        if figures:
            for row, what in figures.differences(auditor.sums, auditor.unchecked):
                yield Finding(f"the read side's {row}", 0, 0, what)

    auditor = AccountAuditor(figures.cuts.values(), figures.zone) if figures else AccountAuditor(())
    report = verify(auditor, conclude, since=since, progress=progress, processes=processes, using=using)
    unchecked = sorted(auditor.unchecked.values(), key=lambda each: each.position)
    return report._replace(unchecked=unchecked, notes=list(figures.notes()) if figures else ())


def _verifiers(using: str, auditor: AccountAuditor) -> Iterator[Finding]:
    without = dict(auditor.pin_set_by)
    for account_id, key_id, *rest in verifiers(using):
        stream = stream_of(account_id)
        command_id = without.pop(stream, None)
        if stream in auditor.unchecked:  # a newer version may have replaced it
            continue
        if command_id is None:
            more = (
                "more than one PIN verifier" if stream in auditor.pin_set_by else "a PIN verifier and no such account"
            )
            yield Finding(stream, 0, 0, f"there is {more}")
            continue
        try:
            verifier = Verifier(key_id, *map(binary, rest))
            seals.check(verifier.seal, verifier.text(account_id, UUID(command_id)))
        except seals.BadSeal as error:
            yield Finding(stream, 0, 0, f"the PIN verifier is not the one that {UUID(command_id)} set: {error}")
        except UNREADABLE as error:
            yield Finding(stream, 0, 0, f"the PIN verifier cannot be read: {shown(error)}")
    for stream in sorted(without.keys() - auditor.unchecked.keys()):
        yield Finding(stream, 0, 0, "the account has no PIN verifier")


def _open_tills(using: str, auditor: AccountAuditor) -> Iterator[Finding]:
    """Compare the rows of open tills with the tills' events. The database lets no teller have two rows."""
    missing = dict(auditor.open_tills)
    for till_id, teller, shift in tills.rows(using):
        stream = stream_of_till(till_id)
        opened = missing.pop(stream, None)
        if stream not in auditor.unchecked and opened != (teller, shift):
            yield Finding(stream, 0, 0, f"{shown(teller)} has it by its row, and {opened or 'nobody'} by its events")
    for stream in sorted(missing.keys() - auditor.unchecked.keys()):
        yield Finding(stream, 0, 0, "it is open, and has no row of its teller")


def _currency(using: str, auditor: AccountAuditor) -> Iterator[Finding]:
    """Compare the recorded currency with the one that each account was opened in, if a version that records it did."""

    def finding(what: str) -> Finding:
        return Finding("the currency", 0, 0, what)

    rows = currency.rows(using)
    if not rows:
        if auditor.currencies:
            yield finding(f"it is missing, and accounts were opened in {', '.join(sorted(auditor.currencies))}")
        return
    for number, (id_, code, decimals, seal) in enumerate(rows, 1):
        recorded = Currency(code, decimals)  # type: ignore[arg-type]
        try:
            if (number, id_) != (1, currency.ID) or type(code) is not str or type(decimals) is not int:
                raise ValueError(f"{shown((id_, code, decimals))} is not its one row")
            seals.check(binary(seal), recorded.seal_text)
        except seals.BadSeal as error:
            yield finding(f"{recorded} is not what the bank recorded: {error}")
        except UNREADABLE as error:
            yield finding(f"it cannot be read: {error}")
        for other in auditor.currencies.keys() - {shown(str(recorded))}:
            yield finding(f"it is {recorded}, and {auditor.currencies[other]} was opened in {other}")
