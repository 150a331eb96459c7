"""The templates of the figures, filled in with everything escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from smoulder.figures.style import FONTS, printable


def number(value: float) -> str:
    """Return a coordinate with two decimals at most, the same on every machine.

    >>> number(12.0), number(0.333333), number(-0.001)
    ('12', '0.33', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _without_control_characters(value: Any) -> Any:
    """Return text without what XML cannot hold; finished markup and numbers as they are."""
    return printable(value) if type(value) is str else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("smoulder.figures", "templates"),
        autoescape=True,
        finalize=_without_control_characters,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = number
    environment.globals["fonts"] = FONTS
    return environment


def rendered(name: str, **values: Any) -> str:
    """Return a template with its values filled in."""
    return _environment().get_template(name).render(values)
