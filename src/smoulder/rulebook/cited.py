"""What the rules beside the scan share: where they come from, and what in them no source was seen to state."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from pydantic import ValidationError, model_validator

from smoulder.errors import DefinitionError
from smoulder.rulebook.model import Source
from smoulder.rulebook.parts import Part, listed, reasons_text

Rule = TypeVar("Rule", bound=Part)


def made(kind: type[Rule], what: str, **settings: Any) -> Rule:
    """Return a rule with some settings; DefinitionError with every reason where it cannot be. `what` names it in the sentence."""
    try:
        return kind(**settings)
    except ValidationError as error:
        raise DefinitionError(f"{what}: {reasons_text(error)}.") from error


class CitedPart(Part):
    """A whole rule with its source; a setting that was changed loses its mark, because the source says nothing of it."""

    source: Source = Source()

    @model_validator(mode="after")
    def _check_marks(self) -> Self:
        unknown = {*self.source.seen, *self.source.assumed, *self.source.code} - type(self).model_fields.keys()
        if unknown:
            raise ValueError(f"source marks settings that do not exist: {listed(sorted(unknown))}")
        return self

    def evidence(self, setting: str) -> str:
        """Return how a setting is known: "seen", "assumed", "code", or "" where it was changed or the rule does not say."""
        field = type(self).model_fields.get(setting)
        if field is None or getattr(self, setting) != field.get_default():
            return ""
        marks = {"seen": self.source.seen, "assumed": self.source.assumed, "code": self.source.code}
        return next((mark for mark, settings in marks.items() if setting in settings), "")

    def evidence_prose(self) -> str:
        """Return the source, and what is assumed or taken from a program, as sentences; "" where there is nothing to say."""
        said = {"assumed": "Assumed, as no source was seen to state it", "code": "Taken from a program"}
        sentences = [f"Source: {self.source.citation.removesuffix('.')}."] if self.source.citation else []
        for mark, opening in said.items():
            settings = [name.replace("_", " ") for name in type(self).model_fields if self.evidence(name) == mark]
            if settings:
                sentences.append(f"{opening}: {'; '.join(settings)}.")
        return " ".join(sentences)
