"""TRL's trainer, continued from the middle of a run."""

import json
import math

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import TrainerCallback, get_scheduler
from trl import SFTTrainer

from rows import IGNORED, collate


class InOrder(torch.utils.data.Sampler):
    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


class ContinuedTrainer(SFTTrainer):
    """TRL's trainer, which begins in the middle of a run."""

    def __init__(self, *args, run, order, first_step, total_steps, **kwargs):
        self.run, self.order, self.first_step, self.total_steps = run, order, first_step, total_steps
        super().__init__(*args, **kwargs)

    def _get_train_sampler(self, *_):
        return InOrder(self.order)

    def create_optimizer(self, *_):
        if self.optimizer is None:
            settings = self.run["training"]
            rate = settings["learning_rate"]
            named = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
            matrices = [p for name, p in named if "lora_A" in name]
            others = [p for name, p in named if "lora_A" not in name]
            # LoRA+: B, and DoRA's magnitudes, learn at a rate of their own.
            groups = [
                {"params": matrices, "lr": rate},
                {"params": others, "lr": rate * settings["loraplus_lr_ratio"]},
            ]
            self.optimizer = torch.optim.AdamW(
                groups,
                lr=rate,
                betas=(settings["adam_beta1"], settings["adam_beta2"]),
                eps=settings["adam_epsilon"],
                weight_decay=settings["weight_decay"],
            )
        return self.optimizer

    def create_scheduler(self, num_training_steps, optimizer=None):
        if self.lr_scheduler is None:
            settings, total = self.run["training"], self.total_steps
            ratio, steps = settings["warmup_ratio"], settings["warmup_steps"]
            warmup = math.floor(steps) if steps >= 1 else math.ceil(total * (steps if steps > 0 else ratio))
            optimizer = optimizer or self.optimizer
            made = get_scheduler(
                settings["lr_scheduler_type"],
                # Building a schedule sets the rates of its optimiser: this one is thrown away.
                torch.optim.AdamW(
                    [{"params": [torch.zeros(1)], "lr": g["lr"]} for g in optimizer.param_groups]
                ),
                num_warmup_steps=warmup,
                num_training_steps=total,
                scheduler_specific_kwargs=settings["lr_scheduler_kwargs"],
            )
            first = self.first_step
            factors = [lambda step, f=factor: f(step + first) for factor in made.lr_lambdas]
            self.lr_scheduler = LambdaLR(optimizer, factors)
        return self.lr_scheduler

    @torch.no_grad()
    def evaluate(self, eval_dataset=None, ignore_keys=None, metric_key_prefix="eval"):
        """Cross entropy a supervised token of each file, as the page computes it."""
        metrics = {}
        was_training = self.model.training
        self.model.eval()
        size, at, of = (
            self.args.per_device_eval_batch_size,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        for name, rows in (self.eval_dataset or {}).items():
            sums = torch.zeros(2, dtype=torch.float64, device=self.accelerator.device)
            # Every process runs the same number of batches: FSDP gathers weights in each.
            batches = math.ceil(len(rows) / (size * of))
            for batch in range(batches):
                first = (batch * of + at) * size
                some = [rows[i] for i in range(first, min(first + size, len(rows)))]
                inputs = collate(some or [rows[0]], self.processing_class.pad_token_id or 0)
                inputs = {name: tensor.to(self.accelerator.device) for name, tensor in inputs.items()}
                labels = inputs.pop("labels")[:, 1:]
                logits = self.model_wrapped(**inputs).logits[:, :-1].float()
                if some:
                    losses = torch.nn.functional.cross_entropy(
                        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
                    )
                    sums += torch.stack([losses.double(), (labels != IGNORED).sum().double()]).to(sums)
            loss, tokens = self.accelerator.reduce(sums).tolist()
            metrics[f"eval_{name}_loss"] = loss / tokens
        self.model.train(was_training)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class Moments(TrainerCallback):
    """Gives AdamW the moments of the exported step, ahead of the first one here."""

    def __init__(self, tensors, steps):
        self.tensors, self.steps = tensors, steps

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **_):
        inner = getattr(optimizer, "optimizer", optimizer)
        names = {id(p): plain(name) for name, p in model.named_parameters() if p.requires_grad}
        ours = [p for group in inner.param_groups for p in group["params"]]
        states = {plain_name: self.state_of(plain_name) for plain_name in names.values()}
        if all(
            names.get(id(p)) and p.shape == states[names[id(p)]]["exp_avg"].shape for p in ours
        ) and not sharded(ours):
            for p in ours:
                inner.state[p] = {
                    k: v.to(p.device) if k != "step" else v for k, v in states[names[id(p)]].items()
                }
            return
        # FSDP: its own functions cut the moments as the parameters are cut.
        from torch.distributed.checkpoint.state_dict import (
            StateDictOptions,
            get_optimizer_state_dict,
            set_optimizer_state_dict,
        )

        options = StateDictOptions(full_state_dict=True, cpu_offload=True, broadcast_from_rank0=True)
        # Whole on the first process, from which the others get their parts.
        whole = get_optimizer_state_dict(model, inner, options=options)
        for name, empty in whole.get("state", {}).items():
            for moment, tensor in self.state_of(plain(name)).items():
                empty[moment] = tensor.to(empty[moment].dtype)
        set_optimizer_state_dict(model, inner, whole, options=options)

    def state_of(self, name):
        return {
            "step": torch.tensor(float(self.steps)),
            "exp_avg": self.tensors[f"exp_avg.{name}"].clone(),
            "exp_avg_sq": self.tensors[f"exp_avg_sq.{name}"].clone(),
        }


def plain(name):
    """A parameter's name as adapter_model.safetensors has it."""
    for wrapper in ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "module.", "_orig_mod."):
        name = name.replace(wrapper, "")
    return name.replace(".default", "").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def sharded(parameters):
    return any(type(p).__name__ == "DTensor" for p in parameters)


class Curve(TrainerCallback):
    """Goes on with metrics.jsonl, step numbers included."""

    def __init__(self, path, first):
        self.path, self.first = path, first

    def on_log(self, args, state, control, logs=None, **_):
        known = {
            k: v
            for k, v in (logs or {}).items()
            if k in ("loss", "grad_norm", "learning_rate") or k.startswith("eval_")
        }
        if state.is_world_process_zero and known:
            with self.path.open("a") as file:
                file.write(json.dumps({"step": self.first + state.global_step, **known}) + "\n")
