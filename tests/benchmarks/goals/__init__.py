"""The goals: functions that measure and yield claims. Their numbers are those of the table."""

from collections.abc import Callable, Iterator

from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.goals import deposits, http, polls, postgresql, reading

type Goal = Callable[[Bench], Iterator[Claim]]

GOALS: dict[str, Goal] = {
    "1": deposits.inline,
    "3": deposits.long_histories,
    "4": postgresql.one_client,
    "5": postgresql.eight_clients,
    "6": postgresql.hot_account,
    "7": postgresql.projection_worker,
    "8": reading.replay,
    "10": reading.growth,
    "11": reading.pages,
    "12": http.deposits,
    "13": polls.open_pages,
    "14": http.pages,
}
