"""Kill a run at the writes it makes, some inside a checkpoint, and let it go on; print what came of each as JSON.

Every rename, flush, deletion and line of a run is counted. Each round is a fork of this process, which has loaded
everything already, that kills itself (SIGKILL) at the nth of them, half a line written where it writes a line.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import core
import torch

from minillm import checkpoint, pretrain, records

# what a run does at its end takes most of its time and writes no state
pretrain.matmul_flops_per_s = lambda device, precision: 1e9
pretrain.write_report = lambda *arguments: None


class Killer:
    """Counts the writes of a run, remembers what each was, and kills this process at the nth."""

    def __init__(self, nth: int | None):
        self.nth, self.writes = nth, []
        for where, name in ((os, "fsync"), (os, "replace"), (shutil, "rmtree")):
            setattr(where, name, self.watched(name, getattr(where, name)))
        pretrain.append_line = self.append_line

    def passing(self, what: str) -> bool:
        """Count a write; tell whether it is the one to die at."""
        self.writes.append(what)
        return len(self.writes) == self.nth

    def watched(self, name, call):
        def wrapped(*arguments, **options):
            if self.passing(f"{name} {Path(str(arguments[0])).name}"):
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapped

    def append_line(self, path, value):
        if self.passing(f"line of {path.name}"):
            whole = path.read_bytes() if path.exists() else b""
            records.append_line(path, value)
            added = path.stat().st_size - len(whole)
            os.truncate(path, len(whole) + added // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        records.append_line(path, value)


def in_a_fork(out: Path, config, nth: int | None) -> int:
    """Run or resume in a fork that dies at its nth write; return how it ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            killer = Killer(nth)
            pretrain.pretrain(config, out, resume=True, say=lambda line: None, progress=False)
            (out.parent / f"{out.name}.writes").write_text(json.dumps(killer.writes), encoding="utf-8")
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def losses(out: Path) -> list[list[float]]:
    """Return step and loss of each line of metrics.jsonl."""
    return [[line["step"], line["train_loss_nats"]] for line in records.read_lines(out / "metrics.jsonl")]


def main(folder: Path, rounds: int) -> None:
    """Run once whole; then `rounds` times killed at another write, killed again soon after, and let go on."""
    torch.set_num_threads(1)  # a fork has only the thread that made it
    config = core.small_run(core.write_words(folder / "words.txt", 3000), steps=9, checkpoint_every=3)
    # once here, so that the forks find libraries loaded and warm
    pretrain.pretrain(config, folder / "warm", say=lambda line: None, progress=False)
    assert in_a_fork(folder / "whole", config, None) == 0
    writes = json.loads((folder / "whole.writes").read_text(encoding="utf-8"))
    expected, results = losses(folder / "whole"), []
    for index in range(rounds):
        nth = 1 + index * len(writes) // rounds
        out = folder / f"killed-{nth}"
        ends = [in_a_fork(out, config, nth), in_a_fork(out, config, 1 + index % 7), in_a_fork(out, config, None)]
        whole = [path.name for path in checkpoint.list_checkpoints(out / "checkpoints") if checkpoint.is_whole(path)]
        same = losses(out) == expected
        results.append({"at": writes[nth - 1], "ends": ends, "same": same, "checkpoints": whole})
        shutil.rmtree(out, ignore_errors=True)
    print(json.dumps({"writes": len(writes), "results": results}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
