"""The screens: forms, task screens and pages. They see forms, `handle` and the queries, nothing else."""
