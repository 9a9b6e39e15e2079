"""Tables, figures and charts of a run, and its regressions."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import chart
from tests.benchmarks.bench import Bench, Claim

REFERENCE = Path(__file__).with_name("reference.json")
"""The ratios that `--check` compares with."""
WORSE = 1.5
"""The factor from which a worse ratio counts as a regression. A smaller one may be the machine's."""


def table_of_goals(found: Sequence[Claim]) -> str:
    """Return a line for each goal: the goal, the figure, met or not."""
    lines = ["| goal | what | wanted | measured (least to most) | |", "|---|---|---|---|---|"]
    for claim in found:
        sign = "at least" if claim.at_least else "at most"
        met = "met" if claim.met else "**not met**"
        lines.append(f"| {claim.goal} | {claim.text} | {sign} {claim.wanted:g} | {claim.ratio} | {met} |")
    return "\n".join(lines)


def table_of_experiments(bench: Bench) -> str:
    """Return the median figures of every contender, relative to the first one's."""
    lines = []
    for name, samples in bench.experiments.items():
        first = next(iter(samples.figures))
        lines += [f"\n### {name}\n", f"| {bench.units[name]} | against the first (least to most) |", "|---|---|"]
        lines += [f"| {each} | {samples.ratio(each, first)} |" for each in samples.figures]
    return "\n".join(lines)


def table_of_remarks(bench: Bench) -> str:
    return "\n".join(f"- {remark}" for remark in bench.remarks)


def write(folder: Path, bench: Bench, found: Sequence[Claim]) -> None:
    """Write tables, figures and a chart for each experiment into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join([table_of_goals(found), table_of_experiments(bench), table_of_remarks(bench)])
    (folder / "results.md").write_text(text + "\n")
    figures = {
        "goals": {claim.key: claim.ratio._asdict() for claim in found},
        "experiments": {name: dict(samples.figures) for name, samples in bench.experiments.items()},
        "remarks": bench.remarks,
    }
    (folder / "results.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    for name, samples in bench.experiments.items():
        (folder / f"{chart.file_name(name)}.svg").write_text(chart.bars(name, samples))


def regressions(found: Sequence[Claim]) -> list[str]:
    """Return a sentence for each ratio that is a third worse than the reference's in each of its rounds."""
    reference = json.loads(REFERENCE.read_text())
    worse = []
    for claim in found:
        before = reference.get(claim.key)
        if before is None:
            continue
        now = claim.ratio.most if claim.at_least else claim.ratio.least
        if (before / now if claim.at_least else now / before) > WORSE:
            worse.append(f"Goal {claim.key}: {now:.2f} at best, where the reference has {before:.2f}.")
    return worse
