"""A process that makes a deposit from which further deposits follow, and kills itself on the way.

    python -m tests.support.relay.killed COMMAND_ID NUMBER

kills itself with SIGKILL after its statement of that number, on the databases of the environment.
"""

import os
import signal
import sys
from uuid import UUID

import django
from django.db.backends.base.base import BaseDatabaseWrapper


def main(command_id: UUID, number: int) -> None:
    from tests.support.relay import SOURCE
    from tests.support.statements import watched
    from tests.support.values import deposit

    sent = 0

    def die(connection: BaseDatabaseWrapper, statement: str) -> None:
        nonlocal sent
        sent += 1
        if sent == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with watched(after=die):
        deposit(SOURCE, 50, command_id=command_id)


if __name__ == "__main__":
    django.setup()
    main(UUID(sys.argv[1]), int(sys.argv[2]))
