"""Figures measured side by side, and their ratios. Only ratios are reported.

A machine's speed changes from minute to minute. So contenders alternate in rounds, and each round gives one ratio. The
report has the median of the rounds, the least and the most.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

type Measure = Callable[[], float]
"""Does a slice of work and returns its figure: a rate, or a cost."""


class Ratio(NamedTuple):
    """The median of the ratios of all rounds, with the least and the most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


@dataclass(frozen=True)
class Samples:
    """The figures of each contender, round by round."""

    figures: Mapping[str, list[float]]

    def ratio(self, one: str, other: str) -> Ratio:
        """Return the figure of `one` relative to that of `other`."""
        ratios = [a / b for a, b in zip(self.figures[one], self.figures[other], strict=True)]
        return Ratio(median(ratios), min(ratios), max(ratios))

    def median(self, name: str) -> float:
        return median(self.figures[name])


def side_by_side(contenders: Mapping[str, Measure], rounds: int) -> Samples:
    """Let contenders alternate, in another order each round, after a round that does not count."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    chance = random.Random(1)
    order = list(contenders)
    for number in range(rounds + 1):
        chance.shuffle(order)
        for name in order:
            figure = contenders[name]()
            if number:
                figures[name].append(figure)
    return Samples(figures)
