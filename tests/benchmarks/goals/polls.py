"""The cost of open pages that poll."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.places import KEYS
from tests.benchmarks.rounds import Ratio
from tests.support.programs import Web
from tests.support.teller import Teller

PAGES = 500
SETTLED = 16
"""Seconds after which pages poll at their final rate; see `projections.freshness`."""
LOGIN = ("teller", "correct horse battery")
ASKS = re.compile(r"""hx-headers='{"Bank-Poll": "true", "Bank-Behind": "([^"]*)"}' hx-trigger="every (\d+)s\"""")


def open_pages(bench: Bench) -> Iterator[Claim]:
    """The share of one processor that 500 open desks take while nothing changes.

    A page polls only while its figures are behind, so no worker runs; after a while it polls every 15 seconds. A page
    with current figures does not poll.
    """
    seconds, rounds = bench.size(20, 5), bench.size(5, 1)
    password = {"BANK_TELLER_PASSWORD": LOGIN[1]}
    with Web(bench.places.folder / "polls", PROJECTION_MODE="worker", **KEYS, **password) as web:
        teller = Teller(web.port, stays=True)
        teller.log_in(*LOGIN)
        teller.open_account(1)
        time.sleep(SETTLED)
        [(behind, every)] = ASKS.findall(teller.get("/").text)
        shares = [_share(web, teller, behind, PAGES / int(every), seconds) for _ in range(rounds + 1)][1:]
    ratio = Ratio(median(shares), min(shares), max(shares))
    yield Claim("13", f"{PAGES} open pages that poll, in processors", ratio, 0.1, False)


def _share(web: Web, teller: Teller, behind: str, rate: float, seconds: int) -> float:
    """Poll at this rate for some seconds. Return the share of one processor that the web process took."""
    started, took = time.perf_counter(), _processor_seconds(web.pid)
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, started + number / rate - time.perf_counter()))
        answer = teller.request("GET", "/", **{"Bank-Poll": "true", "HX-Request": "true", "Bank-Behind": behind})
        assert answer.status == 204, answer.words
    return (_processor_seconds(web.pid) - took) / (time.perf_counter() - started)


def _processor_seconds(session: int) -> float:
    """Return the processor time of all processes of a session, in seconds."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
