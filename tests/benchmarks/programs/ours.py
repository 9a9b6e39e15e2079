"""The bank itself, through `bank.application.dispatch.handle`.

The environment has the databases and the projection mode, as for the bank's own programs.
"""

import django

django.setup()

from bank.application.dispatch import handle
from tests.benchmarks.programs.by_handle import ByHandle
from tests.benchmarks.programs.protocol import serve

if __name__ == "__main__":
    serve(ByHandle(handle))
