"""The bank under failures of its machine: killed processes and databases, full disks and cut connections."""
