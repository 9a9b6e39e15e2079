"""The report of a run as a table."""

from collections.abc import Iterable

from tests.system.cluster.judge import Verdict
from tests.system.cluster.load import Load
from tests.system.cluster.outages import Outage

MEANING = {
    "lost": "acknowledged commands that are not on record",
    "doubled": "commands with more than one event",
    "unknown": "events that nobody was told of",
    "gaps": "streams with a gap in their versions",
    "balances": "accounts where acks, events, read side and replica differ",
    "totals": "totals that are not the sum of the acks",
    "own_writes": "pages that did not show their reader's own writes",
    "gave_up": "clients that were refused or not answered",
    "check": "exit status of replay_projections --check",
}


def table_of(outages: Iterable[Outage]) -> str:
    """Return one line for each kill: the killed part and the effect on a teller."""
    lines = [f"{'killed with -9':24}{'acknowledged again':>20}{'shown again':>14}{'longest command':>18}"]
    for part, acknowledged, shown, longest in outages:
        lines.append(f"{part:24}{f'{acknowledged:.2f} s':>20}{f'{shown:.2f} s':>14}{f'{longest:.2f} s':>18}")
    return "\n".join(lines)


def summary_of(load: Load, verdict: Verdict) -> str:
    """Return the amount of work, and the faults in it."""
    done = load.done
    again = sum(each.task.sent > 1 for each in done)
    looks = sum(client.looks for client in load.everybody)
    waits = sum(client.waits for client in load.everybody)
    seconds = load.ended - load.began
    lines = [
        f"{len(done):>8,} commands acknowledged in {seconds:.0f} s, {again:,} of them sent more than once",
        f"{looks:>8,} looks at receipts and accounts; {waits:,} of the pages said that they are still catching up",
        *(f"{count:>8,} {MEANING[name]}" for name, count in verdict._asdict().items()),
        *load.failures,
        *load.violations[:5],
    ]
    return "\n".join(lines)
