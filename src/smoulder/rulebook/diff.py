"""What tells two definitions apart, setting by setting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from smoulder.rulebook.model import Definition


@dataclass(frozen=True)
class Difference:
    """One setting on which two definitions differ."""

    setting: str
    """Dotted path, such as "baseline.moves_after"."""
    a: str
    b: str
    """The values as text; "-" where a definition does not have the setting."""


def diff(a: Definition, b: Definition) -> tuple[Difference, ...]:
    """Return the settings that decide answers and differ, in the order of the parts; empty where both decide alike.

    Examples
    --------
    >>> from smoulder.rulebook import definition, diff
    >>> [difference.setting for difference in diff(definition("cdw-12w"), definition("cdw-24w"))]
    ['confirmation.windows']
    """
    left, right = a.settings(), b.settings()
    return tuple(
        Difference(setting, _text(left, setting), _text(right, setting))
        for setting in dict.fromkeys([*left, *right])
        if left.get(setting, _ABSENT) != right.get(setting, _ABSENT)
    )


_ABSENT = object()


def _text(settings: dict[str, Any], setting: str) -> str:
    if setting not in settings:
        return "-"
    value = settings[setting]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
