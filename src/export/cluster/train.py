"""Continues a run of Finetab with TRL, PEFT and bitsandbytes: the same recipe, rows in the same order, the adapter
and AdamW's moments of the step at which it was exported.

    accelerate launch --config_file accelerate/one_gpu.yaml train.py --model FOLDER_OR_HUB_NAME

Everything is read from the folder that this file lies in: recipe.json, state/, adapter/, data/.
"""

import argparse
import json
import math
import os
from pathlib import Path

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import PeftModel, prepare_model_for_kbit_training
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig

from continued_trainer import ContinuedTrainer, Curve, Moments
from rows import IGNORED, collate, read_rows, rows_of_steps

HERE = Path(__file__).resolve().parent


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", help="the base model: its name on the Hub, or its folder; as state/state.json says"
    )
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where adapter and curve are written")
    parser.add_argument("--max-steps", type=int, help="steps of the whole run; as state/state.json says")
    parser.add_argument("--micro-batch", type=int, help="rows of a process at once; fewer take less memory")
    parser.add_argument(
        "--dtype", choices=["float32", "bfloat16", "float16"], help="of what is not quantised"
    )
    parser.add_argument("--attention", default="sdpa", help="attn_implementation of transformers")
    return parser.parse_args()


def load_base(name, recipe, dtype):
    settings = {"dtype": dtype}
    if recipe["quantization"] != "none":
        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
            # FSDP cuts parameters of one type only.
            bnb_4bit_quant_storage=dtype if is_fsdp() else torch.uint8,
        )
        if not is_fsdp():
            settings["device_map"] = {"": PartialState().device}
    return AutoModelForCausalLM.from_pretrained(name, attn_implementation=arguments.attention, **settings)


def is_fsdp():
    # accelerate itself knows it only once the trainer is made.
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def world_split(per_step, wanted):
    """Rows of a process at once, and how many times: their product over all processes is one step's rows."""
    world = PartialState().num_processes
    if per_step % world:
        raise SystemExit(
            f"A step of this run has {per_step} rows, which {world} processes cannot share. Launch a number that divides it."
        )
    own = per_step // world
    micro = min(wanted or own, own)
    while own % micro:
        micro -= 1
    return micro, own // micro


def main():
    state = json.loads((HERE / "state/state.json").read_text())
    recipe = json.loads((HERE / "recipe.json").read_text())
    settings = recipe["training"]
    if is_fsdp() and os.environ.get("FSDP_VERSION") != "2":
        raise SystemExit("The moments of AdamW fit FSDP's second version only: set fsdp_version: 2.")
    name = arguments.model or state["model"]
    if not name:
        raise SystemExit("The base model is not known: give its name on the Hub, or its folder, as --model.")
    on_gpu = torch.cuda.is_available()
    dtype = getattr(
        torch, arguments.dtype or ("bfloat16" if on_gpu and torch.cuda.is_bf16_supported() else "float32")
    )
    tokenizer = AutoTokenizer.from_pretrained(
        HERE / "adapter" if (HERE / "adapter/tokenizer.json").exists() else name
    )
    tokenizer.pad_token = state["pad_token"] or tokenizer.pad_token or tokenizer.eos_token

    train = read_rows(HERE / "data/train.jsonl", tokenizer, recipe)
    sets = {
        p.name.split(".")[0]: read_rows(p, tokenizer, recipe)
        for p in sorted((HERE / "data").glob("*.val.jsonl"))
    }
    per_step = settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"]
    first = state["step"]
    total = (
        arguments.max_steps
        or state["total_steps"]
        or math.ceil(settings["num_train_epochs"] * math.ceil(len(train) / per_step))
    )
    if first >= total:
        raise SystemExit(
            f"The run is at step {first} of {total}, its end. Give more as --max-steps to go on."
        )
    lengths = [len(row["input_ids"]) for row in train]
    order = [
        row if row >= 0 else len(train) for row in rows_of_steps(first, total, lengths, settings, per_step)
    ]
    # An example that adds nothing fills the last step of an epoch.
    filler = {
        "input_ids": [tokenizer.pad_token_id or 0] * 2,
        "labels": [IGNORED] * 2,
        "attention_mask": [1, 1],
    }
    micro, accumulation = world_split(per_step, arguments.micro_batch)

    base = load_base(name, recipe, dtype)
    if recipe["quantization"] != "none" and not is_fsdp():
        base = prepare_model_for_kbit_training(
            base, use_gradient_checkpointing=settings["gradient_checkpointing"]
        )
    model = PeftModel.from_pretrained(base, HERE / "adapter", is_trainable=True)
    exact = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    arguments.out.mkdir(parents=True, exist_ok=True)
    every = recipe["evaluation"]["eval_steps"]
    wanted = {
        "output_dir": str(arguments.out),
        "max_steps": total - first,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": accumulation,
        "gradient_checkpointing": settings["gradient_checkpointing"],
        "max_grad_norm": settings["max_grad_norm"],
        "label_smoothing_factor": settings["label_smoothing_factor"],
        "neftune_noise_alpha": settings["neftune_noise_alpha"],
        "learning_rate": settings["learning_rate"],
        "seed": settings["seed"],
        "logging_steps": settings["logging_steps"],
        "logging_nan_inf_filter": False,
        "eval_strategy": recipe["evaluation"]["eval_strategy"] if sets else "no",
        "eval_steps": every,
        "save_strategy": settings["save_strategy"],
        "save_steps": settings["save_steps"] or every,
        "save_total_limit": 2,
        "bf16": dtype == torch.bfloat16,
        "fp16": dtype == torch.float16,
        "use_cpu": not on_gpu,
        "report_to": "none",
        "remove_unused_columns": False,
        "max_length": None,
        "packing": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }
    trainer = ContinuedTrainer(
        model=model,
        args=SFTConfig(**wanted),
        train_dataset=Dataset.from_list([*train, filler]),
        eval_dataset={name: Dataset.from_list(rows) for name, rows in sets.items()} or None,
        data_collator=lambda rows: collate(rows, tokenizer.pad_token_id or 0),
        processing_class=tokenizer,
        run=recipe,
        order=order,
        first_step=first,
        total_steps=total,
    )
    if not is_fsdp() or dtype == torch.float32:
        # TRL rounds adapters over 4-bit weights to bfloat16, which the page does not. FSDP needs one type.
        for parameter_name, p in trainer.model.named_parameters():
            if p.requires_grad:
                p.data = exact[parameter_name].float()
    trainer.add_callback(Curve(arguments.out / "metrics.jsonl", first))
    moments = HERE / "state/optimizer.safetensors"
    if moments.exists():
        trainer.add_callback(Moments(load_file(moments), state["optimizer_steps"]))
    elif first:
        print(
            "Warning: the optimiser's moments were not exported: AdamW begins with none, so that the curve has a step."
        )
    trainer.train()
    trainer.save_model(str(arguments.out / "adapter"))


if __name__ == "__main__":
    arguments = options()
    main()
