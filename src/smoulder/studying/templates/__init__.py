"""The template of the report, filled in with everything escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from smoulder.figures.style import FONTS, printable


def _without_control_characters(value: Any) -> Any:
    """Return text without what HTML cannot hold; finished markup and numbers as they are."""
    return printable(value) if type(value) is str else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("smoulder.studying", "templates"),
        autoescape=True,
        finalize=_without_control_characters,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["fonts"] = FONTS
    return environment


def rendered(name: str, **values: Any) -> str:
    """Return a template with its values filled in."""
    return _environment().get_template(name).render(values)
