"""Kills each part in turn under load, and measures the effect on a teller."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.load import deposit
from tests.system.cluster.load import Client, Load
from tests.system.cluster.parts import Bank

PATIENCE = 120
"""The seconds that the figures may take to catch up, before the result is "never"."""


class Outage(NamedTuple):
    """The effect of a kill, in seconds.

    `acknowledged` is the time from the kill to the acknowledgement of a command first sent then, `shown` the time until
    a receipt showed it, and `longest` the longest duration of any command in flight.
    """

    part: str
    acknowledged: float
    shown: float
    longest: float


def take_turns(bank: Bank, load: Load, seconds: float) -> Iterator[Outage]:
    """Kill each part, measure the effect, and start it again, with rests of about `seconds` in all."""
    turns = bank.in_turn()
    rest = seconds / (len(turns) + 1)
    for name, find in turns:
        time.sleep(rest)
        part = find()
        killed = time.monotonic()
        part.kill()
        if part is bank.primary:  # it has no stand-in here
            part.start()
        acknowledged, shown = probe(load.probe)
        if part is not bank.primary:
            part.start()
        under_way = [done for done in load.done if done.acknowledged > killed and done.begun < shown]
        longest = max(done.acknowledged - done.begun for done in under_way)
        yield Outage(name, acknowledged - killed, shown - killed, longest)
    time.sleep(rest)


def probe(client: Client) -> tuple[float, float]:
    """Deposit an amount, and wait until a receipt shows it. Return the times of both."""
    [account_id] = client.balances
    done = client.carry_through(deposit(account_id, 100), account_id, 100)
    give_up_at = time.monotonic() + PATIENCE
    while not client.look(f"/receipts/{done.task.command_id}/"):
        assert time.monotonic() < give_up_at, "the figures never caught up"
        time.sleep(0.02)
    return done.acknowledged, time.monotonic()
