"""Progress of a command that reads the whole log."""

import sys
import time

from django.core.management.base import OutputWrapper
from tqdm import tqdm


class ProgressBar:
    """Progress with rate and remaining time: a bar on a terminal, a line every few seconds elsewhere."""

    EVERY = 5.0

    def __init__(self, out: OutputWrapper, total: int, unit: str = "events") -> None:
        self.out = out
        self.total = total
        self.unit = unit
        self.done = 0
        self.said_at = time.monotonic()
        on_terminal = sys.stderr.isatty()
        self.bar = tqdm(total=total, unit=f" {unit}", unit_scale=True, disable=not on_terminal, leave=False)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def update(self, count: int) -> None:
        self.done += count
        self.bar.update(count)
        if self.bar.disable and time.monotonic() - self.said_at >= self.EVERY:
            self.said_at = time.monotonic()
            self.out.write(f"{self.done:,} of {self.total:,} {self.unit}")
