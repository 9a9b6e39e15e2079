"""The parts of a mutation."""

from collections.abc import Sequence
from typing import NamedTuple


class Mutation(NamedTuple):
    """A change of one place in the code, and the tests that have to notice it.

    Attributes:
        breaks: a sentence that states what the changed program does wrong. It names the mutation.
        file: the path from the top of the tree.
        text: stands in the file exactly once.
        instead: replaces the text.
        tests: files or node ids, as pytest takes them.
        database: the database that the tests run on, "sqlite" or "postgresql".
    """

    breaks: str
    file: str
    text: str
    instead: str
    tests: Sequence[str]
    database: str = "sqlite"

    def apply(self, source: str) -> str:
        """Return the file's content with the change in it.

        Raises:
            ValueError: the text does not stand there exactly once.
        """
        if (found := source.count(self.text)) != 1:
            raise ValueError(f"{self.file} has the text {found} times, not once: {self.text!r}")
        return source.replace(self.text, self.instead)
