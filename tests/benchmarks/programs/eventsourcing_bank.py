"""The same bank with the library `eventsourcing`, written as its documentation shows.

`BENCH_MODE` is plain, snapshots, cache (its fastest setting, which assumes that no other process writes) or projection
(one inline table of balances). The library's own environment variables name its database.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

from tests.benchmarks.programs.protocol import AMOUNT, one_by_one, serve

MODE = os.environ["BENCH_MODE"]
SNAPSHOT_EVERY = 20
"""The same interval as the bank's."""
if MODE == "snapshots":
    os.environ["IS_SNAPSHOTTING_ENABLED"] = "y"
if MODE == "cache":
    os.environ |= {"AGGREGATE_CACHE_MAXSIZE": "1000000", "AGGREGATE_CACHE_FASTFORWARD": "n"}


class Account(Aggregate):
    @event("Opened")
    def __init__(self, account_id: int, account_holder: str) -> None:
        self.account_id = account_id
        self.account_holder = account_holder
        self.balance = 0

    @staticmethod
    def create_id(account_id: int) -> UUID:
        return UUID(int=account_id)

    @event("Deposited")
    def deposit(self, amount: int) -> None:
        self.balance += amount


class Balances(SQLiteTrackingRecorder):
    """A table of balances in its own database, which need not sync, as the bank's read side."""

    def construct_create_table_statements(self) -> list[str]:
        table = "CREATE TABLE IF NOT EXISTS balances (account_id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)"
        return [*super().construct_create_table_statements(), table]

    def need_not_sync(self) -> None:
        with self.datastore.get_connection(commit=False) as connection:
            connection.cursor().execute("PRAGMA synchronous=NORMAL", [])

    def add(self, changes: Sequence[tuple[int, int]], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            for account_id, amount in changes:
                cursor.execute(
                    "INSERT INTO balances VALUES (?, ?) ON CONFLICT DO UPDATE SET balance = balance + excluded.balance",
                    [account_id, amount],
                )


class Bank(Application[UUID]):
    snapshotting_intervals: ClassVar[Any] = {Account: SNAPSHOT_EVERY} if MODE == "snapshots" else {}


class Peer:
    def __init__(self) -> None:
        self.app = Bank()
        self.balances: Balances | None = None
        if MODE == "projection":
            self.balances = Balances(SQLiteDatastore(os.environ["SQLITE_DBNAME"] + "-balances", pool_size=1))
            self.balances.create_table()
            self.balances.need_not_sync()

    def fill(self, accounts: range, events: int) -> None:
        for account_id in accounts:
            account = Account(account_id, f"Holder {account_id}")
            for _ in range(events - 1):
                account.deposit(AMOUNT)
            recordings = self.app.save(account)
            if self.balances:
                tracking = Tracking(self.app.name, recordings[-1].notification.id)
                self.balances.add([(account_id, account.balance)], tracking)
            if MODE == "snapshots" and events >= SNAPSHOT_EVERY:
                self.app.take_snapshot(account.id)

    def prepare(self, accounts: Sequence[int]) -> Callable[[], object]:
        return one_by_one(self.deposit, accounts)

    def deposit(self, account_id: int) -> None:
        account: Account = self.app.repository.get(UUID(int=account_id))
        account.deposit(AMOUNT)
        recordings = self.app.save(account)
        if self.balances:
            self.balances.add([(account_id, AMOUNT)], Tracking(self.app.name, recordings[-1].notification.id))


if __name__ == "__main__":
    serve(Peer())
