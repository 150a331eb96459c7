"""What every part of a definition shares: frozen, checked at once, equal by content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from smoulder.errors import DefinitionError, unknown


class Part(BaseModel):
    """One part of a definition. Frozen and hashable; unknown fields and wrong types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    extras: ClassVar[frozenset[str]] = frozenset()
    """Fields that few definitions use: they are not written, listed or marked while they are at their default."""

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = handler(self)
        fields = type(self).model_fields
        idle = {name for name in self.extras if getattr(self, name) == fields[name].default}
        return {name: value for name, value in data.items() if name not in idle}

    def changed(self, **settings: Any) -> Self:
        """Return the same with other settings, checked anew; DefinitionError naming the setting and the reason where it cannot be.

        >>> from smoulder.rulebook.progression import LORSCHEIDER_2016
        >>> LORSCHEIDER_2016.changed(minimum_edss=6.0).minimum_edss
        6.0
        """
        fields = type(self).model_fields
        name = f"'{self.key}'" if "key" in fields else type(self).__name__  # type: ignore[attr-defined]
        for setting in settings:
            if setting not in fields:
                raise DefinitionError(f"{name}: {unknown('setting', setting, list(fields))}")
        # As it stands, not as plain data: what is not changed has been checked, and parts are parts.
        whole = {field: getattr(self, field) for field in fields} | settings
        try:
            return type(self).model_validate(whole)
        except ValidationError as error:
            raise DefinitionError(f"{name}: {reasons_text(error)}.") from error


def reasons_text(error: ValidationError) -> str:
    """Return every fault of a part that cannot be, each with the setting and the reason, in one line."""
    reasons = []
    for fault in error.errors():
        path = ".".join(str(part) for part in fault["loc"])
        reason = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
        reasons.append(f"{path}: {reason}" if path else reason)
    return "; ".join(reasons)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


AsTuple = BeforeValidator(_as_tuple)
"""TOML gives lists; parts keep tuples, which hash."""

MOST_DAYS = 100_000
"""Days a setting may state: 274 years, more than any follow-up, and sums stay within the engine's integers."""

MOST_POINTS = 1_000_000
"""Points, seconds or per cent a threshold may state; scores stay within the engine's integers."""

Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]
"""A number of days, 0 or more."""


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return items as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def days_text(days: int) -> str:
    """Return a number of days with its noun."""
    return f"{days} day" if days == 1 else f"{days} days"


def relapse_distance_text(days_after: int, days_before: int) -> str:
    """Return the distance rule as words, such as 'at least 30 days after any relapse'; '' where there is none."""
    after = f"at least {days_text(days_after)} after" if days_after else ""
    before = f"at least {days_text(days_before)} before" if days_before else ""
    both = listed([part for part in (after, before) if part])
    return f"{both} any relapse" if both else ""
