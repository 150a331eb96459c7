"""From a cohort and a study to the people who enter, their time zero, and the end of their observation."""

from smoulder.enrolment.enrol import Past, enrol
from smoulder.enrolment.times import Times, study_times

__all__ = ["Past", "Times", "enrol", "study_times"]
