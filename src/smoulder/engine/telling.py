"""What the reference engine reports while it scans. `Teller` says nothing; `narrate.Narrator` keeps the steps in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smoulder.engine.record import Found
    from smoulder.engine.reference import Change, Scan


class Teller:
    """Hears each step of a scan, and by itself does nothing with it."""

    def skipped_baseline(self, scan: Scan, visit: int) -> None:
        """Hear that a visit may not serve as baseline."""

    def baseline_set(self, scan: Scan) -> None:
        """Hear that a baseline and its reference are in force."""

    def raised_reference(self, scan: Scan, visit: int, reference: int) -> None:
        """Hear that a reference was kept from becoming better."""

    def compared(self, scan: Scan, visit: int, *, differs: bool, far: bool) -> None:
        """Hear that a visit was compared with the reference."""

    def moved_after_relapse(self, scan: Scan, relapse: int, visit: int) -> None:
        """Hear that a relapse moved the baseline."""

    def ignored(self, scan: Scan, change: Change) -> None:
        """Hear that an improvement was passed over because only worsening is looked for."""

    def confirmed(self, scan: Scan, change: Change, confirming: list[int], sustained_until: int) -> None:
        """Hear that a change is confirmed (no confirming visit: counted without)."""

    def unconfirmed(self, scan: Scan, change: Change, eligible: list[int]) -> None:
        """Hear that a change is not confirmed."""

    def not_sustained(self, scan: Scan, change: Change, fails: int | None) -> None:
        """Hear that a confirmed change did not last."""

    def small_change(self, scan: Scan, change: Change, confirming: int) -> None:
        """Hear that a confirmed change below the threshold moves the baseline."""

    def labelled(self, scan: Scan, change: Change, event: Found) -> None:
        """Hear the label of an event."""

    def moved(self, scan: Scan, change: Change, target: int) -> None:
        """Hear that a change moved the baseline."""

    def carried(self, scan: Scan, which: str, visit: int, score: int, why: str) -> None:
        """Hear that a carried reference ("first" or "second") is set anew: by a "worsening", a "relapse", or because it "falls"."""

    def stopped(self, scan: Scan, why: str) -> None:
        """Hear why the scan ends."""
