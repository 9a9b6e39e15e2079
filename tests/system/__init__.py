"""Tests of the whole system: browsers, servers, clusters, faults, fuzzing, the simulator."""
