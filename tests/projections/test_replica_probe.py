"""Tries of a lost replica: one request at a time, while the others skip it."""

from typing import Any

import pytest
from django.db import OperationalError

from projections import replicas

REPLICA = "projections"
"""Any alias will do, because the test makes it fail."""


@pytest.fixture
def asked_again_at(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    times: dict[str, float] = {}
    monkeypatch.setattr(replicas, "_asked_again_at", times)
    return times


def lost(alias: str) -> Any:
    raise OperationalError("no answer")


@pytest.mark.usefixtures("bank")
def test_one_request_at_a_time_probes_a_lost_replica_while_others_read_elsewhere(
    asked_again_at: dict[str, float],
) -> None:
    assert replicas.ask(REPLICA, lost) is None
    assert replicas.ask(REPLICA, lambda alias: "an answer") is None, "it is left alone for a while"
    asked_again_at[REPLICA] = 0
    meanwhile: list[str | None] = []

    def question(alias: str) -> str:
        meanwhile.append(replicas.ask(alias, lambda alias: "asked by two"))
        return "it is back"

    assert replicas.ask(REPLICA, question) == "it is back"
    assert meanwhile == [None]
    assert replicas.ask(REPLICA, lambda alias: "for everybody") == "for everybody"
