"""Comparison of the answers to the clients with the record and the pages' tables, in plain SQL."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from tests.support.postgres import execute
from tests.support.programs import run
from tests.system.cluster.load import Load
from tests.system.cluster.parts import Bank

PATIENCE = 120
"""The seconds that the read side and its replica may take to catch up after the load."""
COMMANDS = "SELECT id FROM eventstore_commandrecord WHERE outcome = 'accepted'"
EVENTS = "SELECT command_id, stream, version, type, (data ->> 'amount')::bigint FROM eventstore_event"
BALANCES = "SELECT account_id, balance FROM projections_accountsummary"
TOTALS = "SELECT accounts, balance, paid_in, paid_out FROM projections_banktotals"
SIGNS = {"money_deposited_into_bank_account": 1, "money_withdrawn_from_bank_account": -1}


class Verdict(NamedTuple):
    """The number of faults of each kind; every figure must be 0."""

    lost: int
    """Commands that were acknowledged and are not recorded, with an event."""
    doubled: int
    """Commands that have more than one event."""
    unknown: int
    """Events without an acknowledgement, though each client repeated its commands until it got one."""
    gaps: int
    """Streams whose versions are not 1, 2, 3 and so on."""
    balances: int
    """Accounts of which acknowledgements, events, read side and replica do not say the same."""
    totals: int
    """Totals of the bank that differ from the sums of the acknowledgements."""
    own_writes: int
    """Pages that did not show their reader what the reader had done, and did not say so; error pages as well."""
    gave_up: int
    """Clients that a command was refused to, or not answered for minutes."""
    check: int
    """The exit status of `replay_projections --check`."""


def judge(bank: Bank, load: Load) -> Verdict:
    """Return the verdict on a bank after its load."""
    wanted = balances_of_acks(load)
    wait_for_replica(bank, wanted)
    acknowledged = {done.task.command_id for done in load.done}
    accepted = {UUID(str(command_id)) for (command_id,) in execute(bank.events, COMMANDS)}
    events = execute(bank.events, EVENTS)
    counts = Counter(UUID(str(command_id)) for command_id, *_ in events)
    versions, recorded = defaultdict(list), dict.fromkeys(wanted, 0)
    for _, stream, version, kind, amount in events:
        versions[stream].append(version)
        account_id = int(stream.rpartition("-")[2])
        recorded[account_id] = recorded.get(account_id, 0) + SIGNS.get(kind, 0) * (amount or 0)
    check = run(bank.folder / "judge", "replay_projections", "--check", **bank.variables)
    return Verdict(
        lost=len(acknowledged - (accepted & counts.keys())),
        doubled=sum(count > 1 for count in counts.values()),
        unknown=len(counts.keys() - acknowledged),
        gaps=sum(sorted(each) != list(range(1, len(each) + 1)) for each in versions.values()),
        balances=differences(wanted, recorded, read_balances(bank.projections), read_balances(replica_url(bank))),
        totals=int(execute(bank.projections, TOTALS) != [totals_of_acks(load, wanted)]),
        own_writes=len(load.violations),
        gave_up=len(load.failures),
        check=check.returncode,
    )


def balances_of_acks(load: Load) -> dict[int, int]:
    """Return each account's balance as the sum of the acknowledgements."""
    balances: dict[int, int] = defaultdict(int)
    for done in load.done:
        balances[done.account_id] += done.effect
    return balances


def totals_of_acks(load: Load, balances: Mapping[int, int]) -> tuple[int, ...]:
    effects = [done.effect for done in load.done]
    paid_in, paid_out = sum(e for e in effects if e > 0), -sum(e for e in effects if e < 0)
    assert sum(balances.values()) == paid_in - paid_out
    return len(balances), sum(balances.values()), paid_in, paid_out


def replica_url(bank: Bank) -> str:
    return bank.replica.url("bank_projections")


def read_balances(url: str) -> dict[int, int]:
    return dict(execute(url, BALANCES))


def differences(*versions: Mapping[int, int]) -> int:
    """Return the number of keys with different values."""
    keys = {key for version in versions for key in version}
    return sum(len({version.get(key) for version in versions}) > 1 for key in keys)


def wait_for_replica(bank: Bank, wanted: Mapping[int, int]) -> None:
    """Wait until the replica has everything, or until the time is over; the verdict then counts the difference."""
    give_up_at = time.monotonic() + PATIENCE
    while read_balances(replica_url(bank)) != wanted and time.monotonic() < give_up_at:
        time.sleep(0.2)
