"""The compiled scan: all patients, flat integer arrays, many definitions in one pass.

It follows `engine/reference.py` step by step and has to agree with it on every patient (tests/test_twins.py). Scores are signed so
that higher is worse; visits are numbered within the patient. Nothing else in the program knows that numba is used.
"""
