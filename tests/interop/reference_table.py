"""Runs nothing: compares what `npm run reference` wrote with the references, and prints one line of Markdown a folder.

    for f in ../shared/golden/*/ ; do npm run reference -- $f OUT/golden/$(basename $f) ; done      (and ../shared/gguf/*)
    python tests/interop/reference_table.py ../shared OUT [GROUP]

Each figure is the worst of its kind, over its bound in shared/golden/README.md or shared/gguf/README.md: 1 would be at the bound. What is over 1 is in
bold, and the exit status is then 1. Needs numpy and safetensors.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

PLAIN = dict(logits=2e-5, gradients=3e-5, losses=1e-5, curves=5e-4, adapters=5e-3)
OWN = {
    "qwen3_5": dict(PLAIN, logits=1e-4, gradients=2e-4, curves=2e-2, adapters=5e-2),
    "gemma4": dict(PLAIN, logits=5e-5, gradients=1e-4, curves=2e-2, adapters=5e-2),
}
KINDS = ["logits", "gradients", "nf4", "losses", "lora", "qlora", "rslora", "dora", "adapters", "ids", "preferences"]

# Kinds of preferences beyond their bounds, which the table has one column for.
BEYOND = []


def relative(mine, reference):
    if mine.shape != reference.shape:
        return float("inf")
    size = np.abs(reference).max()
    return float(np.abs(mine.astype(np.float64) - reference).max() / size) if size else 0.0


def absolute(mine, reference):
    return float(np.abs(np.subtract(np.array(mine, dtype=np.float64), reference)).max()) if np.shape(mine) == np.shape(reference) else float("inf")


def golden_figures(folder, out):
    """{kind: the worst figure over its bound}; nf4 and ids: the number of values that differ."""
    bound = OWN.get(folder.name, PLAIN)
    reference, mine = load_file(folder / "golden.safetensors"), load_file(out / "reference.safetensors")
    scalars, own = json.loads((folder / "golden.json").read_text()), json.loads((out / "reference.json").read_text())
    worst = {}

    def note(kind, value):
        worst[kind] = max(worst.get(kind, 0.0), value)

    for name, array in reference.items():
        if name.startswith("probe_"):
            continue
        if name not in mine:
            note("logits" if "logits" in name else "nf4" if name.startswith("nf4.") else "gradients", float("inf"))
        elif "logits" in name:
            note("logits", relative(mine[name], array) / bound["logits"])
        elif name.startswith("grad."):
            note("gradients", relative(mine[name], array) / bound["gradients"])
        elif name.startswith("nf4."):
            note("nf4", float((mine[name].reshape(-1) != array.reshape(-1)).sum()))
    for key in ("base_loss", "probe_loss", "nf4_base_loss"):
        note("losses", absolute(own[key], scalars[key]) / bound["losses"])
    for key in ("lora", "qlora", "rslora", "dora"):
        for curve in ("loss", "final_eval_loss"):
            note(key, absolute(own[key][curve], scalars[key][curve]) / bound["curves"])
    for key in ("base_greedy", "probe_greedy"):
        pairs = zip(own[key], scalars[key], strict=True)
        note("ids", float(sum(a != b for x, y in pairs for a, b in zip(x["new_ids"], y["new_ids"], strict=True))))
    for name in ("adapter_trained", "adapter_qlora_trained"):
        expected, made = (load_file(root / name / "adapter_model.safetensors") for root in (folder, out))
        note("adapters", max(relative(made[k], v) if k in made else float("inf") for k, v in expected.items()) / bound["adapters"])
    if (folder / "golden_preference.json").exists():
        for kind, figure in preference_figures(folder, out).items():
            note("preferences", figure)
            if figure > 1:
                BEYOND.append(f"{folder.name}: {kind} is {figure:.2f} of its bound")
    return worst


def preference_figures(folder, out):
    """{kind: the worst of its losses, norms, divergences and final rewards, over its bound}."""
    kinds, made = json.loads((folder / "golden_preference.json").read_text()), json.loads((out / "reference_preference.json").read_text())
    figures = {}
    for kind, theirs in kinds.items():
        mine = made[kind]
        worst = [abs(a - b) / (1e-3 * max(1, abs(b))) for a, b in zip(mine["loss"], theirs["loss"], strict=True)]
        worst += [abs(a - b) / (1e-3 * b) for a, b in zip(mine["grad_norm"], theirs["grad_norm"], strict=True)]
        worst += [abs(a - b) / 1e-3 for a, b in zip(mine.get("kl", []), theirs.get("kl", []), strict=True)]
        for key in ("rewards_chosen", "rewards_rejected"):
            worst += [abs(a - b) / 5e-3 for a, b in zip(mine.get(key, []), theirs.get(key, []), strict=True)]
        figures[kind] = max(worst)
    return figures


def gguf_figures(folder, out):
    """Dequantised weights to the bit, logits, losses, ids; bounds of shared/gguf/README.md."""
    reference, mine = load_file(folder / "golden.safetensors"), load_file(out / "reference.safetensors")
    scalars, own = json.loads((folder / "golden_gguf.json").read_text()), json.loads((out / "reference.json").read_text())
    worst = {"nf4": 0.0, "logits": 0.0}
    for name, array in reference.items():
        if name.startswith("dequant."):
            worst["nf4"] = max(worst["nf4"], relative(mine[name], array) / 1e-6)
        elif name.startswith("logits."):
            worst["logits"] = max(worst["logits"], relative(mine[name], array) / 2e-5)
    worst["losses"] = absolute(own["base_loss"], scalars["base_loss"]) / 1e-5
    answers = {tuple(a["prompt"]): a["new_ids"] for a in own["base_greedy"]}
    worst["ids"] = float(sum(answers.get(tuple(b["prompt"])) != b["new_ids"] for b in scalars["base_greedy"]))
    return worst


def main(shared, results, groups):
    failed = False
    print("| folder | " + " | ".join(KINDS) + " |")
    print("|---" * (len(KINDS) + 1) + "|")
    for group in groups:
        for folder in sorted((shared / group).iterdir()):
            if not any((folder / name).exists() for name in ("golden.json", "golden_gguf.json")):
                continue
            out = results / group / folder.name
            if not (out / "reference.json").exists():
                print(f"| {folder.name} | not run |")
                failed = True
                continue
            figures = (golden_figures if group == "golden" else gguf_figures)(folder, out)
            cells = []
            for kind in KINDS:
                value = figures.get(kind)
                over = value is not None and (value > 0 if kind in ("ids",) or (kind == "nf4" and group == "golden") else not value <= 1)
                failed |= over
                text = "" if value is None else f"{value:.0f}" if kind == "ids" or (kind == "nf4" and group == "golden") else f"{value:.2f}"
                cells.append(f"**{text}**" if over else text)
            print(f"| {folder.name} | " + " | ".join(cells) + " |")
    for line in BEYOND:
        print(f"\n{line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or ["golden", "gguf"]))
