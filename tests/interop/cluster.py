"""The folder for a bigger machine, run by its own script: its ten losses are the page's, in one process and in two; on a
machine with two GPUs also by FSDP.

    node scripts/run.mjs --gpu tests/interop/cluster.ts FOLDER [lora|rslora|dora] [nf4|none]
    python tests/interop/cluster.py FOLDER public/demo [CONFIG:PROCESSES:DTYPE…]

CONFIG is one of FOLDER/accelerate: cpu:1:float32 and cpu:2:float32 unless said, and many_gpus:2:float32 where there are
two GPUs; accelerate has no FSDP without them. In bfloat16 the bound is that of its rounding. Needs what FOLDER/requirements.txt names.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

# Of losses, by what is not quantised.
BOUNDS = {"float32": 1e-2, "bfloat16": 5e-2}


def run(folder, model, config, processes, dtype):
    out = folder / f"out-{config}-{processes}-{dtype}"
    shutil.rmtree(out, ignore_errors=True)
    launch = [sys.executable]
    if config != "cpu" or processes > 1:
        launch += ["-m", "accelerate.commands.launch", "--config_file", str(folder / f"accelerate/{config}.yaml")]
        launch += ["--num_processes", str(processes)]
    command = [*launch, str(folder / "train.py"), "--model", str(model), "--out", str(out), "--dtype", dtype]
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if config == "cpu" else {}
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1", **hidden})
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}, lines


def main(folder, model, wanted_runs):
    wanted = {line["step"]: line["loss"] for line in json.loads((folder / "page_losses.json").read_text())}
    assert len(wanted) == 10, wanted
    failed = []
    for run_name in wanted_runs:
        config, processes, dtype = run_name.split(":")
        made, lines = run(folder, model, config, int(processes), dtype)
        assert made.keys() == wanted.keys(), (made.keys(), wanted.keys())
        for step in wanted:
            print(f"{run_name}, step {step}: page {wanted[step]:.6f}, TRL {made[step]:.6f}")
        off = max(abs(made[step] - wanted[step]) for step in wanted)
        print(f"{run_name}: off by at most {off:.2e}; {[line for line in lines if 'loss' not in line]}", flush=True)
        if off > BOUNDS[dtype]:
            failed.append(f"{run_name}: off by {off:.2e}")
    if failed:
        raise SystemExit("; ".join(failed))


if __name__ == "__main__":
    gpus = ["many_gpus:2:float32", "many_gpus:2:bfloat16"] if torch.cuda.device_count() > 1 else []
    runs = sys.argv[3:] or ["cpu:1:float32", "cpu:2:float32", *gpus]
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), runs)
