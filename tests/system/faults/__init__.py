"""What happens to the bank when the machine fails: processes and databases are killed, disks fill up, lines are cut."""
