"""The parts of a bank on several servers: a PostgreSQL primary, a replica of it, web processes and workers."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.support.postgres import Cluster
from tests.support.programs import Program, Web
from tests.system.servers.walk import USERS

KEYS = {name: f"{name} of this cluster only" for name in ("SECRET_KEY", "PIN_KEYS", "SEAL_KEYS")}
WORKING = "SELECT DISTINCT worker FROM projections_checkpoint"


class Bank:
    """A bank with two of every part but the primary. As a context manager it starts, and is deleted at the end.

    Each process has its own data folder, as on separate machines. They share only the environment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running = ExitStack()

    def __enter__(self) -> "Bank":
        with ExitStack() as starting:
            self.primary = starting.enter_context(Cluster())
            self.events = self.primary.create_database("bank")
            self.projections = self.primary.create_database("bank_projections")
            self.replica = starting.enter_context(self.primary.replica())
            self.variables = {
                **USERS,
                **KEYS,
                "DATABASE_URL": self.events,
                "PROJECTIONS_DATABASE_URL": self.projections,
                "PROJECTIONS_REPLICA_URLS": self.replica.url("bank_projections"),
                "PROJECTION_MODE": "worker",
                "CONFIRM_ABOVE": "0",  # clients of these tests know no check page
            }
            self.webs = [self._started(starting, self._web(number)) for number in (1, 2)]
            self.workers = [self._started(starting, self._worker(number)) for number in (1, 2)]
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @staticmethod
    def _started[P: Program](starting: ExitStack, program: P) -> P:
        starting.enter_context(program)
        return program

    def _web(self, number: int) -> Web:
        return Web(self.folder / f"web-{number}", **self.variables)

    def _worker(self, number: int) -> Program:
        return Program(self.folder / f"worker-{number}", "run_projections", **self.variables)

    @property
    def ports(self) -> list[int]:
        return [web.port for web in self.webs]

    def working(self) -> Program:
        """Return the projection worker that is active."""
        names = [str(name) for (name,) in self.primary.psql(WORKING, "bank_projections")]
        [working] = [worker for worker in self.workers if any(f":{worker.pid}:" in name for name in names)]
        return working

    def standing_by(self) -> Program:
        """Return the projection worker on standby."""
        working = self.working()
        [standing_by] = [worker for worker in self.workers if worker is not working]
        return standing_by

    def in_turn(self) -> list[tuple[str, Callable[[], Cluster | Program]]]:
        """Return the parts to kill: their names, and functions that find them when their turn comes."""
        return [
            ("web process 1", lambda: self.webs[0]),
            ("web process 2", lambda: self.webs[1]),
            ("worker that works", self.working),
            ("worker that stands by", self.standing_by),
            ("replica", lambda: self.replica),
            ("primary", lambda: self.primary),
        ]
