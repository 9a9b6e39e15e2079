"""Writes the table of `docs/mutations.md`: each mutation with the test that noticed it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .mutation import Mutation
from .trial import Trial

DOCUMENT = "docs/mutations.md"
BEGINNING = "## The list"
"""The heading at which the generated part of the document begins."""


def table(rooms: Mapping[str, Sequence[Mutation]], trials: Mapping[str, Trial]) -> str:
    """Return the generated part of the document: the result of all mutations."""
    noticed = sum(bool(trial.noticed_by) for trial in trials.values())
    lines = [BEGINNING, "", f"{noticed} of {len(trials)} mutations are noticed.", ""]
    for room, mutations in rooms.items():
        lines += [f"### {room.capitalize()}", "", "| the change | file | noticed by |", "|---|---|---|"]
        lines += [f"| {each.breaks} | `{each.file}` | {_noticed(trials[each.breaks])} |" for each in mutations]
        lines.append("")
    return "\n".join(lines)


def write(tree: Path, rooms: Mapping[str, Sequence[Mutation]], trials: Mapping[str, Trial]) -> None:
    """Replace the result in the document."""
    file = tree / DOCUMENT
    before = file.read_text().partition(BEGINNING)[0]
    file.write_text(before + table(rooms, trials))


def _noticed(trial: Trial) -> str:
    return f"`{trial.noticed_by}`" if trial.noticed_by else f"**not noticed** ({trial.problem})"
