"""What a figure shows, in words: the verdicts, the line below the title, the text that stands for the figure."""

from __future__ import annotations

from smoulder.errors import counted
from smoulder.events import DURING, ExplainedEvent, ExplainedMeasure, Explanation, SoughtVisit
from smoulder.rulebook.parts import listed
from smoulder.terms import Calendar, day_text

LONGEST_HEADLINE = 85
"""Characters; above that events are counted, not listed."""

MRI_WORDS = {"no activity": "no MRI activity (PIRMA)", "activity": "MRI activity", "unknown": "MRI unknown"}
SHORT = {DURING: "PIRA with relapse"}
"""Labels that are too long for a tag; the key gives them in full."""
USES = {"onset": "onset", "confirmation": "confirmation", "as well": "must hold as well"}

Judged = tuple[ExplainedMeasure, ExplainedEvent]


def event_name(event: ExplainedEvent) -> str:
    """Return what an event is called on its tag: its label, or its kind where it has none."""
    return event.label or event.kind


def tag_name(event: ExplainedEvent) -> str:
    """Return what stands on the tag of an event."""
    return SHORT.get(event_name(event), event_name(event))


def mri_words(event: ExplainedEvent) -> str:
    """Return what the MRI of a PIRA says, in a few words; "" where it was not asked."""
    return MRI_WORDS[event.mri] if event.mri is not None else ""


def events_in_order(explanation: Explanation) -> list[Judged]:
    """Return every event with its measure, by onset; on one day in the order of the measures."""
    found = [(judged, event) for judged in explanation.measures for event in judged.events]
    return sorted(found, key=lambda pair: pair[1].onset_day)


def composite_event(explanation: Explanation) -> ExplainedEvent | None:
    """Return the patient's earliest worsening on any measure; None where the definition has one measure only."""
    if not explanation.definition.is_composite:
        return None
    return next((event for _, event in events_in_order(explanation) if event.kind == "worsening"), None)


def verdicts(explanation: Explanation) -> tuple[str, ...]:
    """Return one sentence an event, with its days, scores and why it has its label; or that there is none."""
    found = events_in_order(explanation)
    if not found:
        return (no_event_sentence(explanation),)
    first = composite_event(explanation)
    return tuple(_verdict(explanation, judged, event, is_first=event is first) for judged, event in found)


def no_event_sentence(explanation: Explanation) -> str:
    """Return the sentence for a patient without an event."""
    changes = sum(len(unconfirmed(judged)) for judged in explanation.measures)
    if not any(judged.days for judged in explanation.measures):
        return "No event: there is no visit to judge."
    return f"No event; {counted(changes, 'change')} past the threshold did not become one." if changes else "No event."


def _verdict(explanation: Explanation, judged: ExplainedMeasure, event: ExplainedEvent, *, is_first: bool) -> str:
    calendar, measure = explanation.calendar, judged.measure
    label = f" ({event.label})" if event.label else ""
    sentence = (
        f"{event.kind.capitalize()}{label} on the {measure.name}, onset {day_text(event.onset_day, calendar)}, "
        f"from {measure.text(event.reference)} to {measure.text(event.onset)}"
    )
    days: dict[int, list[str]] = {}
    for name, day in event.windows:
        if day is not None:
            days.setdefault(day, []).append(name)
    if days:
        sentence += f"; confirmed {listed([f'{day_text(day, calendar)} ({_joined(names)})' for day, names in days.items()])}"
    elif event.windows:
        sentence += "; counted without a confirming visit"
    else:
        sentence += "; no confirmation was asked for"
    if event.pira_confirmation_day is not None and event.pira_confirmation_day != event.confirmation_day:
        sentence += f", as PIRA {day_text(event.pira_confirmation_day, calendar)}"
    sentence += f"; held until {day_text(event.sustained_until_day, calendar)}"
    if event.forgiven_days:
        dips = listed([_score_on(judged, day, calendar) for day in event.forgiven_days])
        sentence += f", but for {dips}, which {'was' if len(event.forgiven_days) == 1 else 'were'} forgiven"
    more = [f"{sentence}."]
    if event.compared_with != "reference":
        more.append(f"It was compared with the {event.compared_with}, {measure.text(event.reference)}.")
    if is_first:
        more.append("It is the first worsening on any measure.")
    why = label_reason(judged, event)
    if why:
        more.append(f"It is {event.label}: {why}")
    if event.mri is not None:
        more.append(_mri_sentence(explanation, event))
    return " ".join(more)


def _score_on(judged: ExplainedMeasure, day: int, calendar: Calendar) -> str:
    """Return a visit in words, such as '2015-03-02 (3.5)'."""
    score = dict(zip(judged.days, judged.scores, strict=True))[day]
    return f"{day_text(day, calendar)} ({judged.measure.text(score)})"


def _mri_sentence(explanation: Explanation, event: ExplainedEvent) -> str:
    """Return what the MRI of a PIRA says, and by which scans."""
    spans = [f"{day_text(first, explanation.calendar)} to {day_text(last, explanation.calendar)}" for first, last in event.mri_spans]
    inside = [scan for scan in explanation.scans if any(first <= scan[0] <= last for first, last in event.mri_spans)]
    by = f", by {counted(len(inside), 'scan')} from {listed(spans)}" if spans else ""
    words = mri_words(event)
    return f"{words[0].upper()}{words[1:]}{by}."


def _joined(names: list[str]) -> str:
    return ", ".join(names)


def label_reason(judged: ExplainedMeasure, event: ExplainedEvent) -> str:
    """Return why an event has its label, in the engine's words; "" where it did not say."""
    told = [step.text for step in judged.steps if step.step == "label" and step.visit_day == event.onset_day]
    reasons = [text.partition(f": {event.label}: ")[2] for text in told]
    return next((reason for reason in reversed(reasons) if reason), "")


def headline(explanation: Explanation) -> str:
    """Return the verdict in a few words, for the line below the title."""
    found = events_in_order(explanation)
    if not found:
        return "No event"
    first = composite_event(explanation)
    if first is not None and len(found) > 1:
        measure = next(judged.measure.name for judged, event in found if event is first)
        day = day_text(first.onset_day, explanation.calendar)
        return f"First worsening on any measure: {event_name(first)} on the {measure}, onset {day}; {_event_counts(found)}"
    if len(found) > 3:
        return _event_counts(found)
    several = explanation.definition.is_composite
    named = [
        f"{event_name(event)}{f' on the {judged.measure.name}' if several else ''}, onset {day_text(event.onset_day, explanation.calendar)}"
        f"{f', {mri_words(event)}' if event.mri is not None else ''}"
        for judged, event in found
    ]
    text = "; ".join(named)
    return _event_counts(found) if len(text) > LONGEST_HEADLINE else text[0].upper() + text[1:]


def _event_counts(found: list[Judged]) -> str:
    """Return how many events there are of each name, in the order in which they come."""
    counts: dict[str, int] = {}
    for _, event in found:
        counts[event_name(event)] = counts.get(event_name(event), 0) + 1
    if len(counts) == 1:
        return f"{len(found)} events, all {next(iter(counts))}"
    return f"{counted(len(found), 'event')}: {', '.join(f'{n} {name}' for name, n in counts.items())}"


def unconfirmed(judged: ExplainedMeasure) -> dict[int, str]:
    """Return the onset day of each change that was met and is no event, with the reason.

    The engine compares until it meets a change and then confirms or refuses it, so a refusal belongs to
    the comparison before it.
    """
    onsets = {event.onset_day for event in judged.events}
    found: dict[int, str] = {}
    met: int | None = None
    for step in judged.steps:
        if step.step == "compare" and step.visit_day is not None:
            met = step.visit_day
        refused = step.verdict == "not confirmed" or step.step == "sustain"
        if refused and met is not None and met not in onsets:
            found[met] = step.verdict
    return found


def description(explanation: Explanation) -> str:
    """Return the text that stands for the figure, made from the numbers it shows."""
    calendar = explanation.calendar
    parts = [f"Timeline of patient {explanation.patient} under {explanation.definition.title} [{explanation.definition.key}]."]
    if explanation.follow_up is not None:
        first, last = (day_text(day, calendar) for day in explanation.follow_up)
        parts.append(f"Visits from {first} to {last}." if first != last else f"Seen on {first}.")
    parts += [_scores_sentence(judged) for judged in explanation.measures]
    parts += _sought_sentences(explanation)
    parts.append(relapse_sentence(explanation))
    if explanation.definition.mri is not None:
        parts.append(scan_sentence(explanation))
    if explanation.treatments:
        parts.append(f"Treatments: {', '.join(treatment_text(explanation, i) for i in range(len(explanation.treatments)))}.")
    return " ".join([*parts, *verdicts(explanation)])


def _scores_sentence(judged: ExplainedMeasure) -> str:
    if not judged.days:
        return f"{judged.measure.name}: no visit."
    text = judged.measure.text
    first, last, low, high = (text(score) for score in (judged.scores[0], judged.scores[-1], min(judged.scores), max(judged.scores)))
    scores = first if len(judged.days) == 1 else f"{first} at the first, {last} at the last, {low} to {high}"
    way = "" if judged.measure.higher_is_worse else "; lower is worse"
    return f"{judged.measure.name}: {counted(len(judged.days), 'visit')}, {scores}{way}."


def relapse_sentence(explanation: Explanation) -> str:
    """Return how many relapses there were, and when; or what is known instead."""
    if explanation.relapse_days:
        days = ", ".join(day_text(day, explanation.calendar) for day in explanation.relapse_days)
        return f"{counted(len(explanation.relapse_days), 'relapse')}: {days}."
    return f"Relapses: {no_relapse_text(explanation)}."


def no_relapse_text(explanation: Explanation) -> str:
    """Return what is known of relapses where none is listed."""
    known = {"recorded": "none recorded", "none": "none (stated for the whole cohort)"}
    return known.get(explanation.relapse_knowledge, "not known (there is no relapse table)")


def scan_sentence(explanation: Explanation) -> str:
    """Return how many scans there were, when, and what each shows; or that there was none."""
    if not explanation.scans:
        return f"MRI: {no_scan_text(explanation)}."
    scans = [f"{day_text(day, explanation.calendar)} ({scan_text(active=active, read=read)})" for day, active, read in explanation.scans]
    return f"{counted(len(scans), 'scan')}: {', '.join(scans)}."


def no_scan_text(explanation: Explanation) -> str:
    """Return what is said where no scan is listed."""
    return "no scan" if explanation.measures and any(judged.days for judged in explanation.measures) else "none"


def scan_text(*, active: bool, read: bool) -> str:
    """Return what a scan shows."""
    return "activity" if active else "no activity" if read else "not fully read"


# -- visits at a set time -------------------------------------------------------------------


def sought_name(sought: SoughtVisit) -> str:
    """Return a visit at a set time by its name, such as 'year 5: onset'."""
    return f"{time_name(sought.after_days)}: {USES[sought.use]}"


def time_name(days: int) -> str:
    """Return a time as a year or a week where it is one, else as a day.

    >>> time_name(1826), time_name(672), time_name(100)
    ('year 5', 'week 96', 'day 100')
    """
    years = round(days / 365.25)
    if years and abs(days - 365.25 * years) <= 1:
        return f"year {years}"
    return f"week {days // 7}" if days and days % 7 == 0 else f"day {days}"


def sought_sentence(sought: SoughtVisit, calendar: Calendar) -> str:
    """Return when a visit at a set time is sought, and which one it was."""
    first, last = day_text(sought.first_day, calendar), day_text(sought.last_day, calendar)
    span = f"from {first} to {last}" if first != last else f"on {first}"
    what = {"onset": "Onset is", "confirmation": "Confirmation is", "as well": "A visit where it must hold as well is"}[sought.use]
    found = "there is none" if sought.visit_day is None else f"it is that of {day_text(sought.visit_day, calendar)}"
    return f"{what} sought at {time_name(sought.after_days)}, {span}: {found}."


def _sought_sentences(explanation: Explanation) -> list[str]:
    """Return the sentences on visits at a set time: once where they are the same for all measures."""
    told = {
        judged.measure.name: tuple(sought_sentence(sought, explanation.calendar) for sought in judged.sought)
        for judged in explanation.measures
        if judged.sought
    }
    if len(set(told.values())) == 1:
        return list(next(iter(told.values())))
    return [f"On the {name}: {sentence[0].lower()}{sentence[1:]}" for name, sentences in told.items() for sentence in sentences]


def treatment_text(explanation: Explanation, number: int) -> str:
    """Return one treatment with its days."""
    name, first, last = explanation.treatments[number]
    start = day_text(first, explanation.calendar)
    return f"{name} (from {start})" if last is None else f"{name} ({start} to {day_text(last, explanation.calendar)})"
