"""Kills every part in turn while the load runs, and measures what a teller notices of it."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.load import deposit
from tests.system.cluster.load import Client, Load
from tests.system.cluster.parts import Bank

PATIENCE = 120
"""Seconds that the figures may take to catch up, before it counts as never."""


class Outage(NamedTuple):
    """What a kill did; all in seconds.

    `acknowledged` is how long after it a command that was first sent then was acknowledged, `shown` how long after it
    a receipt showed that command, and `longest` the longest that any command took that was under way.
    """

    part: str
    acknowledged: float
    shown: float
    longest: float


def take_turns(bank: Bank, load: Load, seconds: float) -> Iterator[Outage]:
    """Kill each part, see the bank go on, and start the part again, with rests that add up to about `seconds`."""
    turns = bank.in_turn()
    rest = seconds / (len(turns) + 1)
    for name, find in turns:
        time.sleep(rest)
        part = find()
        killed = time.monotonic()
        part.kill()
        if part is bank.primary:  # nobody stands in for it here
            part.start()
        acknowledged, shown = probe(load.probe)
        if part is not bank.primary:
            part.start()
        under_way = [done for done in load.done if done.acknowledged > killed and done.begun < shown]
        longest = max(done.acknowledged - done.begun for done in under_way)
        yield Outage(name, acknowledged - killed, shown - killed, longest)
    time.sleep(rest)


def probe(client: Client) -> tuple[float, float]:
    """Pay something in, and wait until a receipt shows it; return when both were."""
    [account_id] = client.balances
    done = client.carry_through(deposit(account_id, 100), account_id, 100)
    give_up_at = time.monotonic() + PATIENCE
    while not client.look(f"/receipts/{done.task.command_id}/"):
        assert time.monotonic() < give_up_at, "the figures never caught up"
        time.sleep(0.02)
    return done.acknowledged, time.monotonic()
