"""Studies, run: from a cohort and a study to a report and its files."""
