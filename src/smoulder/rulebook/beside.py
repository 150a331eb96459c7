"""The ready-made rules that are not definitions of the scan, by their keys, with the command that runs each."""

from __future__ import annotations

from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS, SecondaryProgression

BESIDE: dict[str, tuple[SecondaryProgression, str]] = {
    LORSCHEIDER_2016.key: (LORSCHEIDER_2016, "smoulder progression DATA"),
    LORSCHEIDER_2016_NO_SYSTEMS.key: (LORSCHEIDER_2016_NO_SYSTEMS, "smoulder progression DATA --without-systems"),
}
"""Key -> the rule and its command. Relapses, NEDA, follow-up, change and area have rules of their own, made from options."""
