"""The field's algorithms that are not the scan: plain Python, one patient at a time, each with its reasons."""
