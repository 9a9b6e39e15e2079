"""The cost of open pages that ask whether they have changed."""

import html
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.bench import Bench, Claim
from tests.benchmarks.places import KEYS
from tests.benchmarks.rounds import Ratio
from tests.support.programs import ROOT, Web
from tests.support.teller import Teller

PAGES = 500
LOGIN = ("teller", "correct horse battery")
TAG = re.compile(r'data-tag="([^"]+)"')
EVERY = re.compile(r"EVERY = (\d+)")


def open_pages(bench: Bench) -> Iterator[Claim]:
    """The share of one processor that 500 open pages take while nothing changes.

    Each request has a connection of its own, as behind a proxy that keeps none.
    """
    seconds, rounds = bench.size(20, 5), bench.size(5, 1)
    every = int(EVERY.findall((ROOT / "static/bank/live.js").read_text())[0]) / 1000 * 0.95  # less by chance
    password = {"BANK_TELLER_PASSWORD": LOGIN[1]}
    with Web(bench.places.folder / "polls", **KEYS, **password) as web:
        teller = Teller(web.port)
        teller.log_in(*LOGIN)
        teller.open_account(1)
        tag = html.unescape(TAG.findall(teller.get("/accounts/1/").text)[0])
        shares = [_share(web, teller, tag, PAGES / every, seconds) for _ in range(rounds + 1)][1:]
    ratio = Ratio(median(shares), min(shares), max(shares))
    yield Claim("13", f"{PAGES} open pages that poll, in processors", ratio, 0.1, False)


def _share(web: Web, teller: Teller, tag: str, rate: float, seconds: int) -> float:
    """Ask at this rate for some seconds. Return the share of one processor that the web process takes."""
    headers = {"Bank-Poll": "true", "HX-Request": "true", "If-None-Match": tag}
    started, took = time.perf_counter(), _processor_seconds(web.pid)
    number = int(rate * seconds)
    for each in range(number):
        time.sleep(max(0.0, started + each / rate - time.perf_counter()))
        answer = teller.request("GET", "/accounts/1/", **headers)
        assert answer.status == 304, answer.words
    return (_processor_seconds(web.pid) - took) / number * rate


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
