"""The bank written with the ORM alone; see `tests/benchmarks/naive`."""

import django

django.setup()

from tests.benchmarks.naive.bank import handle
from tests.benchmarks.programs.by_handle import ByHandle
from tests.benchmarks.programs.protocol import serve

if __name__ == "__main__":
    serve(ByHandle(handle))
