"""The bank's settings with the naive bank behind its screens."""

from bank.settings import *  # noqa: F403
from bank.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.naive.apps.NaiveConfig"]
