"""The flow diagram: how many people there were, who was left out at each step and why, and how many remained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smoulder.errors import counted
from smoulder.figures.chart import Chart
from smoulder.figures.marks import Box, Group, Mark, Path, Words, line
from smoulder.figures.sheet import INNER, MARGIN, NOTE, TEXT, WIDTH, Heading, centred_note, finished, sentences
from smoulder.figures.style import GREY, INK, PAPER, wrapped
from smoulder.followed import FlowStep

MAIN, SIDE = 360.0, 300.0
LINE, PAD, GAP = 15.5, 9.0, 26.0
SIDE_FILL, END_FILL = "#f2f2f2", "#dcedf9"
NOT_APPLIED = "not applied"
"""How the note of a step begins that was not applied."""


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A box of text, in lines of which the first ones are bold."""

    lines: tuple[tuple[str, bool], ...]

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 2 * PAD


def plot_flow(steps: Sequence[FlowStep], *, title: str | None = None) -> Chart:
    """Draw the flow of people through a study.

    Parameters
    ----------
    steps
        `Followed.flow`.
    title
        Above the figure; None: "Flow of people".

    Returns
    -------
    A chart with a box a step, downward, with the number that remained; beside it who was left out. A step that was not applied is dashed
    and says why.
    """
    heading = Heading(title=title or "Flow of people", subtitle=_subtitle(steps))
    marks: list[Mark] = []
    y = heading.bottom + 14
    end: float | None = None
    for number, step in enumerate(steps):
        main, side = _main(step), _side(step)
        if end is not None:
            room = max(GAP, (side.height if side else 0) + 12)
            marks.append(_arrow(end, end + room))
            if side:
                marks += _side_box(step, side, end + room / 2)
            y = end + room
        marks.append(_main_box(step, main, y, last=number == len(steps) - 1))
        end = y + main.height
    if end is None:
        marks += centred_note("There is no step to show.", WIDTH / 2, y + 24, INNER)
        end = y + 40
    caption = "Dashed: a step that was not applied." if any(_is_off(step) for step in steps) else ""
    return finished(heading, caption, _alt(heading.title, steps), marks, end + 14)


def _is_off(step: FlowStep) -> bool:
    return step.note.startswith(NOT_APPLIED)


def _subtitle(steps: Sequence[FlowStep]) -> str:
    if not steps:
        return ""
    return f"{steps[-1].remaining:,} of {counted(steps[0].remaining, 'person', 'people')} remain"


def _main(step: FlowStep) -> _Text:
    text = [(one, False) for one in wrapped(_sentence(step.text), MAIN - 2 * PAD, TEXT)]
    notes = [(one, False) for one in wrapped(step.note, MAIN - 2 * PAD, NOTE)]
    return _Text(lines=((f"n = {step.remaining:,}", True), *text, *notes))


def _side(step: FlowStep) -> _Text | None:
    """Return who was left out and why; None where nobody was."""
    if not step.left_out:
        return None
    room = SIDE - 2 * PAD
    text = wrapped(denied(step.text) if step.unknown < step.left_out else f"Not known whether they {step.text}", room, NOTE)
    more = wrapped(f"Of them {step.unknown:,} of whom it is not known", room, NOTE) if 0 < step.unknown < step.left_out else []
    return _Text(lines=((f"Left out: {step.left_out:,}", True), *((one, False) for one in [*text, *more])))


DENIALS = {
    "had not ": "Had ",
    "have ": "Do not have ",
    "had ": "Did not have ",
    "were ": "Were not ",
    "are ": "Are not ",
}
"""How a step begins, and how what was not met begins."""


def denied(text: str) -> str:
    """Return what holds for people who did not meet a step; "Not met: …" where that takes more than other first words.

    >>> denied("had course RRMS"), denied("had not had EDSS 6 before"), denied("had no relapse and no worsening")
    ('Did not have course RRMS', 'Had had EDSS 6 before', 'Not met: had no relapse and no worsening')
    """
    for start, other in DENIALS.items():
        rest = text.removeprefix(start)
        if rest != text and not {"no", "not"} & set(rest.split()):
            return other + rest
    return f"Not met: {text}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _box(text: _Text, left: float, top: float, width: float, *, fill: str, dash: str = "", notes_from: int = 99) -> list[Mark]:
    marks: list[Mark] = [Box(x=left, y=top, width=width, height=text.height, fill=fill, stroke=INK, dash=dash, radius=3)]
    for n, (words, bold) in enumerate(text.lines):
        grey = n >= notes_from
        size = NOTE if grey or (fill == SIDE_FILL and not bold) else TEXT
        y = top + PAD + LINE * n + 11.5
        marks.append(Words(text=words, x=left + PAD, y=y, size=size, fill=GREY if grey else INK, bold=bold, italic=grey))
    return marks


def _main_box(step: FlowStep, text: _Text, top: float, *, last: bool) -> Group:
    off = _is_off(step)
    notes = len(text.lines) - len(wrapped(step.note, MAIN - 2 * PAD, NOTE))
    fill = END_FILL if last and not off else PAPER
    marks = _box(text, MARGIN, top, MAIN, fill=fill, dash="5 3" if off else "", notes_from=notes)
    return Group(role="step not-applied" if off else "step", tip=step.text, marks=tuple(marks))


def _side_box(step: FlowStep, text: _Text, middle: float) -> list[Mark]:
    left = WIDTH - MARGIN - SIDE
    across = line(MARGIN + MAIN / 2, middle, left - 7, middle)
    tip = Path(points=((left, middle), (left - 8, middle - 4), (left - 8, middle + 4)), stroke="none", fill=INK, closed=True)
    box = _box(text, left, middle - text.height / 2, SIDE, fill=SIDE_FILL)
    return [across, tip, Group(role="left-out", tip=f"Left out: {step.left_out:,}", marks=tuple(box))]


def _arrow(top: float, bottom: float) -> Group:
    x = MARGIN + MAIN / 2
    tip = Path(points=((x, bottom), (x - 4, bottom - 8), (x + 4, bottom - 8)), stroke="none", fill=INK, closed=True)
    return Group(role="arrow", marks=(line(x, top, x, bottom - 6), tip))


def _alt(title: str, steps: Sequence[FlowStep]) -> str:
    text = [title]
    for step in steps:
        out = f", {step.left_out:,} left out" if step.left_out else ""
        out += f" ({step.unknown:,} of them not known)" if step.unknown else ""
        note = f"; {step.note}" if step.note else ""
        text.append(f"{_sentence(step.text)}: {step.remaining:,} remain{out}{note}")
    return sentences(*text)
