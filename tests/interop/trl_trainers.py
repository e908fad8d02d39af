"""Ten steps of TRL's own trainers (DPO with sigmoid and ipo losses; CPO with simpo; ORPO; KTO; GRPO) on a golden folder.

    python tests/interop/trl_trainers.py GOLDEN_FOLDER [OUT.json]

The folder has preference.json and golden_preference.json (make_preference.py), to whose curves our engine is held by tests/golden/preference.test.ts. The
trainers get the same pairs as texts of a tokenizer whose words are ids, in the same order, in float64; GRPO's trainer gets the groups' answers in place of
sampled ones. Prints, by kind, how far TRL's losses and gradient norms are from the curve. llama3_2: losses within 3.3e-7, gradient norms within 1.5e-6; of
GRPO's steps 1.2e-8 and 4.4e-7 (TRL's own use_bias_correction_kl is off for them). What the file has no curve of (KTO, and GRPO's loss types with two
iterations) is written to OUT.json, and trlTrainers.ts runs our engine against it:
losses within 2.4e-7, gradient norms within 3.8e-6 (SwiftShader).
TRL 1.16 reads label_smoothing for none of these losses of DPO, so that cDPO has no counterpart. Needs torch, transformers, peft, trl (1.16), datasets,
tokenizers.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from peft import PeftModel
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

STEPS = 10
KINDS = {
    "dpo": (DPOTrainer, DPOConfig, {"beta": 0.1, "loss_type": ["sigmoid"]}),
    "ipo": (DPOTrainer, DPOConfig, {"beta": 0.1, "loss_type": ["ipo"]}),
    "simpo": (CPOTrainer, CPOConfig, {"beta": 2.0, "loss_type": "simpo", "simpo_gamma": 0.5, "cpo_alpha": 0.0}),
    "orpo": (ORPOTrainer, ORPOConfig, {"beta": 0.1}),
}


# Without a curve in golden_preference.json: the chosen and rejected answers of the pairs as rows with labels, two a step.
LABELLED = {
    "kto": {"beta": 0.1, "loss_type": "kto", "desirable_weight": 1.0, "undesirable_weight": 0.8},
    "apo_zero_unpaired": {"beta": 0.1, "loss_type": "apo_zero_unpaired"},
}
# With a curve, and without.
GROUPED = {
    "grpo": {"loss_type": "bnpo", "beta": 0.0, "scale_rewards": "group"},
    "grpo_kl": {"loss_type": "bnpo", "beta": 0.04, "scale_rewards": "group", "use_bias_correction_kl": False},
    "dr_grpo": {"loss_type": "bnpo", "beta": 0.0, "scale_rewards": "none"},
    "grpo, 2 iterations": {"loss_type": "grpo", "beta": 0.04, "scale_rewards": "group", "num_iterations": 2},
    "dr_grpo, 2 iterations": {"loss_type": "dr_grpo", "beta": 0.04, "scale_rewards": "batch", "num_iterations": 2},
    "dapo, 2 iterations": {"loss_type": "dapo", "beta": 0.0, "scale_rewards": "none", "num_iterations": 2, "epsilon": 0.1, "epsilon_high": 0.15},
}
COMPLETION_LENGTH = 16


class Folder:
    """A golden folder as trainers read it."""

    def __init__(self, folder):
        self.folder = folder
        vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
        words = Tokenizer(models.WordLevel({f"w{i}w": i for i in range(vocabulary)}, unk_token="w0w"))
        words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w2w", pad_token="w0w", unk_token="w0w")
        data = json.loads((folder / "preference.json").read_text())
        self.pairs, self.groups = data["pairs"], data["groups"]

    def text(self, ids):
        return " ".join(f"w{i}w" for i in ids)

    def run(self, trainer_class, config_class, rows, settings, **more):
        """Losses and gradient norms of ten steps over the rows in their order, in float64."""
        model = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float64, attn_implementation="eager")
        model = PeftModel.from_pretrained(model, self.folder / "adapter_init", is_trainable=True).double()
        with tempfile.TemporaryDirectory() as out:
            arguments = config_class(
                output_dir=out, max_steps=STEPS, learning_rate=5e-3, lr_scheduler_type="constant", weight_decay=0.0,
                max_grad_norm=1.0, logging_steps=1, report_to="none", use_cpu=True, bf16=False, fp16=False, gradient_checkpointing=False,
                save_strategy="no", optim="adamw_torch", logging_nan_inf_filter=False, disable_tqdm=True, **settings,
            )
            trainer = trainer_class(model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=self.tokenizer, **more)
            for p in trainer.model.parameters():
                p.data = p.data.double()
            trainer.train()
        history = [entry for entry in trainer.state.log_history if "loss" in entry]
        return {key: [entry[key] for entry in history] for key in ("loss", "grad_norm")}

    def pair_run(self, kind):
        trainer_class, config_class, settings = KINDS[kind]

        class InOrder(trainer_class):
            def _get_train_sampler(self, *_):
                return SequentialSampler(self.train_dataset)

        # The trainers put the end token behind each answer themselves.
        answer = lambda ids: " " + self.text(ids[:-1])
        rows = [{"prompt": self.text(p["prompt_ids"]), "chosen": answer(p["chosen_ids"]), "rejected": answer(p["rejected_ids"])} for p in self.pairs]
        return self.run(InOrder, config_class, rows, {"per_device_train_batch_size": 2, "max_length": 256, **settings})

    def labelled_run(self, kind):
        # The end token is there: KTO's trainer adds one where the text does not end with it.
        rows = [
            {"prompt": self.text(p["prompt_ids"]), "completion": " " + self.text(p[f"{answer}_ids"]), "label": answer == "chosen"}
            for k, p in enumerate(self.pairs)
            for answer in (("chosen", "rejected") if k % 2 else ("rejected", "chosen"))
        ]
        settings = {"per_device_train_batch_size": 4, "max_length": 256, "train_sampling_strategy": "sequential", **LABELLED[kind]}
        return self.run(KTOTrainer, KTOConfig, rows, settings)

    def grouped_run(self, kind):
        groups = {tuple(q["prompt_ids"]): q for q in self.groups}

        class Answered(GRPOTrainer):
            def _generate_single_turn(self, prompt_ids, *_, **__):
                seen = {}
                answers = []
                for prompt in map(tuple, prompt_ids):
                    answers.append(groups[prompt]["completions"][seen.setdefault(prompt, 0)])
                    seen[prompt] += 1
                return answers, None

        reward = {(tuple(q["prompt_ids"]), tuple(c)): r for q in self.groups for c, r in zip(q["completions"], q["rewards"])}
        ids = lambda text: tuple(self.tokenizer(text)["input_ids"])
        scored = lambda prompts, completion_ids, **_: [reward[ids(p), tuple(c)] for p, c in zip(prompts, completion_ids)]
        rows = [{"prompt": self.text(q["prompt_ids"])} for q in self.groups]
        settings = {
            "per_device_train_batch_size": 4, "num_generations": 4, "steps_per_generation": 1, "shuffle_dataset": False,
            "max_completion_length": COMPLETION_LENGTH, **GROUPED[kind],
        }
        return self.run(Answered, GRPOConfig, rows, settings, reward_funcs=[scored])


def main(path, out=None):
    folder = Folder(Path(path))
    golden = json.loads((folder.folder / "golden_preference.json").read_text())
    written = {}
    for kinds, run in ((KINDS, folder.pair_run), (GROUPED, folder.grouped_run), (LABELLED, folder.labelled_run)):
        for kind, settings in kinds.items():
            theirs = run(kind)
            if kind not in golden:
                written[kind] = {"settings": settings, **theirs}
                print(f"{kind}: {len(theirs['loss'])} steps, losses {theirs['loss'][0]:.4f} to {theirs['loss'][-1]:.4f}", flush=True)
                continue
            mine = golden[kind]
            worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(theirs["loss"], mine["loss"]))
            norms = max(abs(a - b) / b for a, b in zip(theirs["grad_norm"], mine["grad_norm"]))
            print(f"{kind}: {len(theirs['loss'])} steps, losses within {worst:.1e}, gradient norms within {norms:.1e} of the curve", flush=True)
    if out:
        Path(out).write_text(json.dumps({"completion_length": COMPLETION_LENGTH, "runs": written}))


if __name__ == "__main__":
    main(*sys.argv[1:])
