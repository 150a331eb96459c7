"""Agreement with msprog's and pymsprog's value_milestone."""

from __future__ import annotations

import math
from typing import Any

from smoulder.engine.beside.milestones import reach
from smoulder.rulebook.milestone import Milestone
from smoulder.tables import Cohort
from smoulder.terms import date_of
from tests.oracle.agreement import Agreement, NamedDifference
from tests.oracle.inputs import leave_out, reading
from tests.oracle.msprog_settings import confirmation_of, distances, last_visit_of, number


def milestone_of(config: dict[str, Any]) -> Milestone:
    """Return the Milestone of one value_milestone configuration; its measure is named by the column where the outcome is custom."""
    args = config["args"]
    sustained = number(args.get("require_sust_days", 0))
    outcome = args["outcome"] if args.get("outcome", "custom") != "custom" else args["value_col"].lower()
    return Milestone.model_validate(
        {
            "key": config["id"].lower().replace("_", "-"),
            "title": config["description"],
            "measure": outcome,
            "score": float(args["milestone"]),
            "onset": distances(args.get("relapse_to_event", 0)),
            "confirmation": confirmation_of(args),
            "sustained": {"days": "to the end" if math.isinf(sustained) else math.ceil(sustained)},
            "tried": "once a spell",
            "last_visit": last_visit_of(number(args.get("impute_last_visit", 0))),
        }
    )


def compare_milestones(config: dict[str, Any], cohort: Cohort, expected: list[dict[str, Any]]) -> Agreement:
    """Compare one value_milestone configuration, patient by patient."""
    score_column = config["args"]["value_col"]
    ours = {row["patient"]: row for row in reach(cohort, milestone_of(config)).rows(named=True)}
    agreement = Agreement(config["id"], config["id"].split("_")[0])
    leave_out(agreement, config, {row["id"]: [row] for row in expected}, cohort)
    date_column = config["args"].get("date_col", "date")
    asked = {*config["args"].get("subjects", cohort.patients)}
    for row in expected:
        if row["id"] in config["left_out"] or row["id"] not in ours or row["id"] not in asked:
            continue
        agreement.patients += 1
        mine = ours[row["id"]]
        day = date_of(mine["day"]).isoformat() if cohort.calendar == "date" else str(mine["day"])
        answer = {"date": day, "score": mine["score"], "time2event": mine["days_from_start"], "observed": mine["reached"]}
        with reading(f"The expected answer of {config['id']}"):
            theirs = {
                "date": row[date_column][:10],
                "score": float(row[score_column]) if row[score_column] not in (None, "", "NA") else None,
                "time2event": int(float(row["time2event"])),
                "observed": row["observed"] in ("TRUE", "True"),
            }
        if answer == theirs:
            agreement.identical += 1
        else:
            agreement.differences.append(NamedDifference(config["id"], row["id"], (), [answer], [theirs]))
    return agreement
