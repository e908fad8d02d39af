"""The folder for a bigger machine, run by its own script: its ten losses are the page's, in one process and in two.

    node scripts/run.mjs --gpu tests/interop/cluster.ts FOLDER [lora|rslora|dora] [nf4|none]
    python tests/interop/cluster.py FOLDER public/demo

Needs what FOLDER/requirements.txt names.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BOUND = 1e-2


def run(folder, model, processes):
    out = folder / f"out{processes}"
    shutil.rmtree(out, ignore_errors=True)
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    if processes == 1:
        launch = [sys.executable]
    else:
        launch += ["--config_file", str(folder / "accelerate/cpu.yaml"), "--num_processes", str(processes)]
    command = [*launch, str(folder / "train.py"), "--model", str(model), "--out", str(out)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}, lines


def main(folder, model):
    wanted = {line["step"]: line["loss"] for line in json.loads((folder / "page_losses.json").read_text())}
    assert len(wanted) == 10, wanted
    worst = 0.0
    for processes in (1, 2):
        made, lines = run(folder, model, processes)
        assert made.keys() == wanted.keys(), (made.keys(), wanted.keys())
        for step in wanted:
            print(f"{processes} processes, step {step}: page {wanted[step]:.6f}, TRL {made[step]:.6f}")
        off = max(abs(made[step] - wanted[step]) for step in wanted)
        print(f"{processes} processes: off by at most {off:.2e}; {[line for line in lines if 'loss' not in line]}")
        worst = max(worst, off)
    if worst > BOUND:
        raise SystemExit(f"off by {worst:.2e}, more than {BOUND}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
