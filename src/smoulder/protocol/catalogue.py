"""The studies that are shipped, one TOML file each."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from smoulder.errors import UsageError, unknown
from smoulder.protocol.model import Study, load_study, study_from

_HOME = resources.files("smoulder.protocol") / "shipped"


def study_keys() -> tuple[str, ...]:
    """Return the keys of the shipped studies, in alphabetical order."""
    return tuple(sorted(item.name.removesuffix(".toml") for item in _HOME.iterdir() if item.name.endswith(".toml")))


@cache
def _shipped(key: str) -> Study:
    import tomllib

    return study_from(tomllib.loads((_HOME / f"{key}.toml").read_text(encoding="utf-8")), where=f"studies/{key}.toml")


def studies() -> tuple[Study, ...]:
    """Return every shipped study, by key.

    Examples
    --------
    >>> from smoulder import studies
    >>> "graf-2021" in [study.key for study in studies()]
    True
    """
    return tuple(_shipped(key) for key in study_keys())


def study(key_or_path: str | Path) -> Study:
    """Return a study: `key_or_path` is the key of a shipped one, or the path of a TOML file.

    Raises UsageError where there is no such key, DefinitionError where the file is not a valid study.

    Examples
    --------
    >>> from smoulder import study
    >>> study("graf-2021").time_zero.at
    'treatment start'
    """
    if isinstance(key_or_path, Path) or key_or_path.endswith(".toml"):
        return load_study(key_or_path)
    if key_or_path not in study_keys():
        raise UsageError(unknown("study", key_or_path, study_keys()))
    return _shipped(key_or_path)
