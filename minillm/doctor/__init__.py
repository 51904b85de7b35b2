"""What this machine is, what it can run, and how long each preset takes here, from some seconds of measuring.

machine (what there is) -> speed (of training, evaluating, sampling) -> times (of each preset) -> tables (JSON, text)
"""

from minillm.doctor.machine import Machine, look, read_before
from minillm.doctor.speed import (
    NOTEBOOK_STEP_TOKENS,
    Pace,
    any_tokens,
    notebook_step_s,
    pace,
    python_unit_s,
    speeds,
)
from minillm.doctor.tables import examination_dict, examination_table, machine_lines
from minillm.doctor.times import Examination, RunTime, examine, run_time

__all__ = [
    "NOTEBOOK_STEP_TOKENS",
    "Examination",
    "Machine",
    "Pace",
    "RunTime",
    "any_tokens",
    "examination_dict",
    "examination_table",
    "examine",
    "look",
    "machine_lines",
    "notebook_step_s",
    "pace",
    "python_unit_s",
    "read_before",
    "run_time",
    "speeds",
]
