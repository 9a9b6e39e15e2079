"""One run of the benchmark: its inputs and its results."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.benchmarks.contenders import Contender
from tests.benchmarks.places import Absent, Places
from tests.benchmarks.rounds import Ratio, Samples, side_by_side


class Claim(NamedTuple):
    """A goal, and its measured figure."""

    goal: str
    text: str
    ratio: Ratio
    wanted: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.ratio.median >= self.wanted if self.at_least else self.ratio.median <= self.wanted

    @property
    def key(self) -> str:
        return f"{self.goal} {self.text}"


class Entrant(NamedTuple):
    """A contender in an experiment.

    `warm` is true if it has just served the measured accounts. `only_shown` is true if no goal needs it: it is in the
    tables and charts, and not in the quick form.
    """

    name: str
    make: Callable[[], Contender]
    warm: bool = True
    only_shown: bool = False


@dataclass
class Bench:
    """The shared inputs of the goals: places, sizes, shared experiments, and remarks."""

    places: Places
    quick: bool
    growth: bool = False
    experiments: dict[str, Samples] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def remark(self, text: str) -> None:
        """Add a remark for the reader of the tables."""
        if text not in self.remarks:
            self.remarks.append(text)
            print(f"  ({text})", flush=True)

    def keep(self, name: str, unit: str, samples: Samples) -> Samples:
        """Store the figures of an experiment for the report."""
        self.experiments[name], self.units[name] = samples, unit
        return samples

    def deposits(self, name: str, entrants: Iterable[Entrant], *, each: int, events: int = 10) -> Samples:
        """Let contenders make deposits side by side, at accounts with this many events. Return deposits a second.

        Contenders that are absent on this machine are left out with a remark.
        """
        if name in self.experiments:
            return self.experiments[name]
        with ExitStack() as running:
            contenders: dict[str, Callable[[], float]] = {}
            for entrant in entrants:
                if self.quick and entrant.only_shown:
                    continue
                try:
                    contender = running.enter_context(entrant.make())
                except Absent as absent:
                    self.remark(str(absent))
                    continue
                accounts = each * (self.rounds + 1) * contender.count
                contender.fill(accounts, events - entrant.warm)
                contenders[entrant.name] = lambda c=contender, w=entrant.warm: c.rate(each, warm=w)  # type: ignore[misc]
            return self.keep(name, "deposits a second", side_by_side(contenders, self.rounds))


def claims(goal: str, samples: Samples, one: str, wanted: Iterable[tuple[str, float]]) -> Iterator[Claim]:
    """Yield the goals of a contender against the others that took part."""
    for other, least in wanted:
        if other in samples.figures:
            yield Claim(goal, f"{one} against {other}", samples.ratio(one, other), least, True)
