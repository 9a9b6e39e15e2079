"""What a verification of the log asks of the bank: do the events make sense, and does all else fit them?

`eventstore.verification.verify` checks that the record is what was recorded. This module checks that the record is a
bank's: the events of accounts (`account_auditor.py`), a PIN verifier for each account, the figures of the read side.
"""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import connections

from eventstore import seals
from eventstore.verification.findings import UNREADABLE, Finding, shown
from eventstore.verification.reader import binary
from eventstore.verification.schema import differences
from eventstore.verification.signed_heads import Head
from eventstore.verification.verify import Report, verify
from projections.verification.figures import Figures

from ..application.pins import Verifier, verifiers
from ..application.streams import stream_of
from .account_auditor import Hearing
from .record_schema import RECORD


def audit(
    *,
    using: str = "default",
    read_side: bool = True,
    since: Head | None = None,
    progress: Callable[[int], object] = lambda count: None,
    processes: int | None = None,
) -> Report:
    """Verify the whole log of a bank, which may be open meanwhile.

    Args:
        using: the database that the log is in.
        read_side: whether the figures of the read side are compared as well.
        since: a head that the log has to extend.
        processes: how many check events; by default as many as it pays to have.

    Raises:
        eventstore.verification.parallel.Unfinished: one of them could not be started, or was ended.
        django.db.DatabaseError: a database cannot be read at all.
    """
    # The read side first: the log is then ahead of it.
    figures = Figures() if read_side else None

    def conclude(heard: Hearing) -> Iterator[Finding]:
        for name, what in differences(using, RECORD[connections[using].vendor]):
            yield Finding(name, 0, 0, what)
        yield from _verifiers(using, heard)
        if figures:
            for row, what in figures.differences(heard.sums):
                yield Finding(f"the read side's {row}", 0, 0, what)

    hearing = Hearing(figures.places.values() if figures else ())
    return verify(hearing, conclude, since=since, progress=progress, processes=processes, using=using)


def _verifiers(using: str, heard: Hearing) -> Iterator[Finding]:
    without = dict(heard.pin_set_by)
    for account_id, key_id, *rest in verifiers(using):
        stream = stream_of(account_id)
        command_id = without.pop(stream, None)
        if command_id is None:
            more = "more than one PIN verifier" if stream in heard.pin_set_by else "a PIN verifier and no such account"
            yield Finding(stream, 0, 0, f"there is {more}")
            continue
        try:
            verifier = Verifier(key_id, *map(binary, rest))
            seals.check(verifier.seal, verifier.text(account_id, UUID(command_id)))
        except seals.BadSeal as error:
            yield Finding(stream, 0, 0, f"the PIN verifier is not the one that {UUID(command_id)} set: {error}")
        except UNREADABLE as error:
            yield Finding(stream, 0, 0, f"the PIN verifier cannot be read: {shown(error)}")
    for stream in sorted(without):
        yield Finding(stream, 0, 0, "the account has no PIN verifier")
