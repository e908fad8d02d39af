"""Ten steps of TRL's own trainers (DPO with sigmoid and ipo losses; CPO with simpo; ORPO) on a golden folder, against its preference curves.

    python tests/interop/trl_trainers.py GOLDEN_FOLDER

The folder has preference.json and golden_preference.json (make_preference.py), to whose curves our engine is held by tests/golden/preference.test.ts. The
trainers get the same pairs as texts of a tokenizer whose words are ids, in the same order, in float64. Prints, by kind, how far TRL's losses and gradient
norms are from the curve. llama3_2: losses within 3.3e-7, gradient norms within 1.5e-6. TRL 1.16 reads label_smoothing
for none of these losses of DPO, so that cDPO has no counterpart. Needs torch, transformers, peft, trl (1.16), datasets, tokenizers.
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
from trl import DPOConfig, DPOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

STEPS = 10
KINDS = {
    "dpo": (DPOTrainer, DPOConfig, {"beta": 0.1, "loss_type": ["sigmoid"]}),
    "ipo": (DPOTrainer, DPOConfig, {"beta": 0.1, "loss_type": ["ipo"]}),
    "simpo": (CPOTrainer, CPOConfig, {"beta": 2.0, "loss_type": "simpo", "simpo_gamma": 0.5, "cpo_alpha": 0.0}),
    "orpo": (ORPOTrainer, ORPOConfig, {"beta": 0.1}),
}


def main(folder):
    folder = Path(folder)
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    words = Tokenizer(models.WordLevel({f"w{i}w": i for i in range(vocabulary)}, unk_token="w0w"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w2w", pad_token="w0w", unk_token="w0w")
    text = lambda ids: " ".join(f"w{i}w" for i in ids)
    pairs = json.loads((folder / "preference.json").read_text())["pairs"]
    # The trainers put the end token behind each answer themselves.
    rows = [
        {"prompt": text(p["prompt_ids"]), "chosen": " " + text(p["chosen_ids"][:-1]), "rejected": " " + text(p["rejected_ids"][:-1])}
        for p in pairs
    ]
    golden = json.loads((folder / "golden_preference.json").read_text())
    for kind, (trainer_class, config_class, settings) in KINDS.items():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
        model = PeftModel.from_pretrained(model, folder / "adapter_init", is_trainable=True).double()

        class InOrder(trainer_class):
            def _get_train_sampler(self, *_):
                return SequentialSampler(self.train_dataset)

        with tempfile.TemporaryDirectory() as out:
            arguments = config_class(
                output_dir=out, max_steps=STEPS, per_device_train_batch_size=2, learning_rate=5e-3, lr_scheduler_type="constant", weight_decay=0.0,
                max_grad_norm=1.0, logging_steps=1, report_to="none", use_cpu=True, bf16=False, fp16=False, gradient_checkpointing=False,
                save_strategy="no", optim="adamw_torch", max_length=256, logging_nan_inf_filter=False, disable_tqdm=True, **settings,
            )
            trainer = InOrder(model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
            for p in trainer.model.parameters():
                p.data = p.data.double()
            trainer.train()
        history = [entry for entry in trainer.state.log_history if "loss" in entry]
        mine, theirs = golden[kind], {key: [entry[key] for entry in history] for key in ("loss", "grad_norm")}
        worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(theirs["loss"], mine["loss"]))
        norms = max(abs(a - b) / b for a, b in zip(theirs["grad_norm"], mine["grad_norm"]))
        print(f"{kind}: {len(history)} steps, losses within {worst:.1e}, gradient norms within {norms:.1e} of the curve", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
