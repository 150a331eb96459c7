"""Studies as data: who enters, time zero, what ends the observation, outcomes, analyses and figures."""

from smoulder.protocol.catalogue import studies, study, study_keys
from smoulder.protocol.model import Study, load_study, study_from

__all__ = ["Study", "load_study", "studies", "study", "study_from", "study_keys"]
