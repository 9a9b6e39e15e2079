"""The same bank on message-db's functions: read the stream, decide, write at the expected version.

The functions are its own (npm: @eventide/message-db); the code around them is what its users write.
"""

import json
import os
from collections.abc import Callable, Sequence
from uuid import uuid4

import psycopg

from tests.benchmarks.programs.protocol import AMOUNT, one_by_one, serve

_READ = "SELECT position, type, data FROM get_stream_messages(%s, %s, 1000)"
_WRITE = "SELECT write_message(%s, %s, %s, %s, %s, %s)"


class Peer:
    def __init__(self) -> None:
        self.connection = psycopg.connect(os.environ["BENCH_URL"], autocommit=True)
        self.connection.execute("SET search_path = message_store, public")

    def fill(self, accounts: range, events: int) -> None:
        with self.connection.transaction():
            for account_id in accounts:
                self.write(account_id, "Opened", {"accountId": account_id, "accountHolder": "Josh"}, -1)
                for version in range(events - 1):
                    self.write(account_id, "Deposited", {"accountId": account_id, "amount": AMOUNT}, version)

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        return one_by_one(self.deposit, accounts)

    def deposit(self, account_id: int) -> None:
        while True:
            version = self.load(account_id)
            try:
                self.write(account_id, "Deposited", {"accountId": account_id, "amount": AMOUNT}, version)
            except psycopg.errors.RaiseException:
                continue
            return

    def load(self, account_id: int) -> int:
        """Replay the stream, and return its version."""
        version, balance = -1, 0
        while rows := self.connection.execute(_READ, [f"account-{account_id}", version + 1]).fetchall():
            for _, kind, data in rows:
                if kind == "Deposited":
                    balance += json.loads(data)["amount"]
            version = rows[-1][0]
            if len(rows) < 1000:
                break
        assert version >= 0, f"there is no account {account_id}"
        return version

    def write(self, account_id: int, kind: str, data: dict[str, object], version: int) -> None:
        metadata = json.dumps({"actor": "teller"})
        values = [str(uuid4()), f"account-{account_id}", kind, json.dumps(data), metadata, version]
        self.connection.execute(_WRITE, values)


if __name__ == "__main__":
    serve(Peer())
