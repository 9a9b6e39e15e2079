"""One process that sends transfers: it resumes where a killed one has stopped.

    python -m tests.system.transfers.client NUMBER COUNT ACCOUNTS SEED FILE

sends COUNT transfers, each under an id of its own until it has an outcome, and writes into FILE how many have one. It
works on the databases of the environment, inline or with workers, as a web process does.
"""

import random
import sys
import time
from pathlib import Path
from uuid import UUID

import django

PIN = 1234
PAUSE = 0.05
"""The longest pause in seconds before a transfer is sent again."""
MISSING = 0.1
"""The share of transfers to an account that does not exist."""
WRONG_PIN = 0.02
"""The share of transfers with a wrong PIN."""


def main(number: int, count: int, accounts: int, seed: int, file: Path) -> None:
    from django.conf import settings

    from bank.application import process_managers
    from projections.workers import background

    if settings.PROJECTION_MODE == "inline":
        background.start()
        process_managers.start_in_background()
    done = int(file.read_text() or 0) if file.exists() else 0
    for index in range(done, count):
        send(random.Random(f"{seed} {number} {index}"), accounts)
        file.write_text(str(index + 1))


def send(chance: random.Random, accounts: int) -> None:
    """Send a random transfer until it has an outcome."""
    from django.db import DatabaseError, InterfaceError, connections

    from bank.application.dispatch import Busy, OutcomeUnknown, handle
    from bank.domain.commands import TransferMoneyBetweenBankAccounts

    source, target = chance.sample(range(1, accounts + 1), 2)
    if chance.random() < MISSING:
        target = accounts + 1
    pin = PIN if chance.random() >= WRONG_PIN else PIN + 1
    command = TransferMoneyBetweenBankAccounts(source, target, chance.randint(1, 100), pin)
    command_id = UUID(int=chance.getrandbits(128), version=4)
    while True:
        try:
            handle(command, command_id=command_id, actor="teller")
        except (Busy, OutcomeUnknown):
            pass
        except (DatabaseError, InterfaceError):
            connections.close_all()
        else:
            return
        time.sleep(random.uniform(0, PAUSE))


if __name__ == "__main__":
    django.setup()
    number, count, accounts, seed, file = sys.argv[1:]
    main(int(number), int(count), int(accounts), int(seed), Path(file))
