"""The ready-made rules that are not definitions of the scan: each with its page, worked patients, and the command that runs it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from smoulder.errors import DefinitionError, UsageError, unknown
from smoulder.rulebook.catalogue import Page, entry
from smoulder.rulebook.neda import BrainVolume, Neda, neda_rule
from smoulder.rulebook.parts import AsTuple, Part, reasons_text
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS, SecondaryProgression

BESIDE: dict[str, str] = {
    LORSCHEIDER_2016.key: "smoulder progression DATA",
    LORSCHEIDER_2016_NO_SYSTEMS.key: "smoulder progression DATA --without-systems",
    "neda-3": "smoulder neda DATA -d KEY",
    "neda-4": "smoulder neda DATA -d KEY --neda4",
}
"""Key -> the command that runs the rule. Relapses, follow-up, change and area have rules of their own, made from options."""

NEDA_WORSENING = "cdw-12w"
"""The definition of worsening with which NEDA is shown; it runs with any."""


class JudgedPatient(Part):
    """A hand-worked patient with the verdict of a rule: documentation and test of the rule."""

    title: str
    visits: dict[str, str]
    """Measure -> "day:score day:score …"."""
    relapses: Annotated[tuple[int, ...], AsTuple] = ()
    """Days of relapse onset."""
    scans: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Day of a scan -> the lesion counts that were read, and the brain volume."""
    verdict: Literal["yes", "no", "unknown"]
    """Secondary progression, or no evidence of disease activity."""
    day: int | None = None
    """Of secondary progression."""
    why: str = ""
    """The reason that the result gives, where the verdict is not yes."""
    because: str
    """The reason, in a sentence."""


class Beside(Part):
    """A rule that is no definition of the scan, with its page and its worked patients."""

    key: str
    title: str
    rule: SecondaryProgression | Neda
    command: str
    page: Page
    patients: Annotated[tuple[JudgedPatient, ...], AsTuple, Field(min_length=2)]


_HOME = resources.files("smoulder.rulebook") / "besides"


@cache
def beside(key: str) -> Beside:
    """Return a rule beside the definitions by its key; UsageError with the near keys where there is none.

    Examples
    --------
    >>> from smoulder.rulebook.beside import beside
    >>> beside("lorscheider-2016").rule.minimum_edss
    4.0
    """
    if key not in BESIDE:
        raise UsageError(unknown("rule beside the definitions", key, list(BESIDE)))
    data = tomllib.loads((_HOME / f"{key}.toml").read_text(encoding="utf-8"))
    try:
        return Beside.model_validate({"key": key, "rule": _rule(key), "command": BESIDE[key], **data})
    except ValidationError as error:
        raise DefinitionError(f"besides/{key}.toml: {reasons_text(error)}.") from error


def _rule(key: str) -> SecondaryProgression | Neda:
    """Return the rule itself."""
    progression = {rule.key: rule for rule in (LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS)}
    if key in progression:
        return progression[key]
    return neda_rule(entry(NEDA_WORSENING).definition, brain_volume=BrainVolume() if key == "neda-4" else None)
