"""A run killed at any write, also inside a checkpoint and in the middle of a line, goes on to the same losses."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent / "faults" / "kill_bench.py"


def test_a_run_killed_at_its_writes_goes_on_bit_for_bit(tmp_path):
    done = subprocess.run(
        [sys.executable, str(BENCH), str(tmp_path), "24"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert len(results) == 24
    for result in results:
        assert result["ends"] == [-signal.SIGKILL, -signal.SIGKILL, 0], result
        assert result["same"], result
        assert result["checkpoints"][-2:] == ["step-000006", "step-000009"], result
    places = {result["at"].split(" ")[0] for result in results}
    assert places == {"fsync", "replace", "line", "rmtree"}
