"""The benchmark compares equal work: its histories are the bank's own, and the contenders' figures are right."""

import json

import pytest

from bank.application import repository
from bank.domain.commands import CreateBankAccount, DepositMoneyIntoBankAccount
from projections import engine, queries
from projections.workers import replay
from tests.benchmarks import data
from tests.benchmarks.bench import Claim
from tests.benchmarks.naive import bank as naive
from tests.benchmarks.programs.bare import Bare
from tests.benchmarks.programs.protocol import AMOUNT
from tests.benchmarks.report import REFERENCE, regressions, table_of_goals
from tests.benchmarks.rounds import Ratio, side_by_side
from tests.support.values import broken_links, count, query, withdraw

pytestmark = pytest.mark.usefixtures("bank")


def test_a_generated_history_is_one_that_the_bank_could_have_written() -> None:
    data.write(data.business(range(1, 5), 45))
    engine.catch_up()

    assert broken_links() == []
    assert count("eventstore_event") == count("eventstore_commandrecord") == 4 * 45
    assert query("SELECT DISTINCT version FROM eventstore_snapshot") == [(40,)]
    assert repository.load(3).aggregate.balance == queries.check_balance(3)
    assert repository.load(3).version == 45
    assert withdraw(3, 1, data.PIN).version == 46
    assert replay.check() == []


def test_a_generated_history_goes_on_where_another_ended() -> None:
    data.write(data.business(range(1, 3), 3))
    data.write(data.business(range(3, 5), 3))

    assert broken_links() == []
    positions = query("SELECT c.position = e.position FROM eventstore_commandrecord c JOIN eventstore_event e "
                      "ON e.command_id = c.id")  # fmt: skip
    assert positions == [(1,)] * 12


def test_the_driver_alone_leaves_a_valid_bank() -> None:
    bare = Bare(both=True)
    bare.fill(range(1, 4), 10)
    before = queries.check_balance(2)

    bare.prepare([1, 2, 3])()
    bare.close()

    assert queries.check_balance(2) == before + AMOUNT
    assert broken_links() == []
    assert replay.check() == []


def test_the_naive_bank_shows_the_same_as_the_bank() -> None:
    naive.handle(CreateBankAccount(1, "Josh", 1234), actor="teller")
    naive.handle(DepositMoneyIntoBankAccount(1, 50), actor="teller")
    ack = naive.handle(DepositMoneyIntoBankAccount(1, 70), actor="teller")

    assert queries.check_balance(1) == queries.get_total_deposits() == queries.get_total_paid_in() == 120
    assert [line.balance for line in queries.statement(1).rows] == [120, 50, 0]
    entry = queries.receipt(ack.command_id)
    assert entry is not None
    assert (entry.amount, entry.actor) == (70, "teller")
    shown = queries.statement(1), queries.find_account(1), queries.bank_figures()
    replay.replay()
    assert shown == (queries.statement(1), queries.find_account(1), queries.bank_figures())


def test_a_ratio_is_of_figures_of_one_round() -> None:
    figures = {"a": iter([0.0, 10.0, 30.0, 20.0]), "b": iter([0.0, 5.0, 10.0, 20.0])}
    samples = side_by_side({name: lambda f=each: next(f) for name, each in figures.items()}, 3)  # type: ignore[misc]
    assert samples.ratio("a", "b") == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(("at_least", "word"), [(True, "| met |"), (False, "**not met**")])
def test_a_table_shows_which_goals_are_met(at_least: bool, word: str) -> None:
    assert word in table_of_goals([Claim("1", "a against b", Ratio(2.0, 1.0, 3.0), 1.5, at_least)])


@pytest.mark.parametrize(
    ("share", "at_least", "worse"), [(0.9, True, False), (0.6, True, True), (1.1, False, False), (1.6, False, True)]
)
def test_a_ratio_that_lost_a_third_is_a_regression(share: float, at_least: bool, worse: bool) -> None:
    [key, reference] = next(iter(json.loads(REFERENCE.read_text()).items()))
    goal, _, text = key.partition(" ")
    measured = share * reference
    found = [Claim(goal, text, Ratio(measured, measured, measured), 1.0, at_least)]
    assert bool(regressions(found)) == worse


def test_a_figure_without_a_reference_is_no_regression() -> None:
    assert regressions([Claim("0", "something new", Ratio(1.0, 1.0, 1.0), 2.0, True)]) == []
