"""Adapters made by PEFT, for the page to chat with and to evaluate: LoRA, rsLoRA and DoRA on all linear layers, and ones
with odd modules, ranks, layers and scales. Beside each lies what PEFT computes over bitsandbytes' own NF4: the loss of
a validation file, and greedy answers.

    python tests/interop/dropped_adapters.py FOLDER
    node scripts/run.mjs tests/interop/droppedAdapters.ts FOLDER

Writes FOLDER/KIND (an adapter) and FOLDER/expected.json. Run it in the project's folder, over the demo model. Needs torch,
transformers, peft, bitsandbytes (CPU builds do).
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent))
from every_form import DEMO, KINDS, make_adapter
from peft_eval import encode, loss_of, quantize_linears

FILE = "manners.val.jsonl"
QUESTIONS = ["What is the capital of France?", "Good morning!", "How much is 70 plus 77?", "Where does a horse live?"]
TOKENS = 24
# How far the adapter is from the base: answers change, and are still no noise.
STD = 0.08


@torch.no_grad()
def answer(model, tokenizer, question, date_string):
    """Greedy: the text, and by how much the closest choice was decided (in logits)."""
    chat = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, date_string=date_string)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    prompt = len(ids)
    closest = float("inf")
    while len(ids) < prompt + TOKENS:
        best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        closest = min(closest, float(best.values[0] - best.values[1]))
        ids.append(int(best.indices[0]))
        if ids[-1] == tokenizer.eos_token_id:
            break
    return {"question": question, "text": tokenizer.decode(ids[prompt:], skip_special_tokens=True).strip(), "margin": closest}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(DEMO)
    recipe = {"system_prompt": None, "date_string": "26 Jul 2024", "max_length": 256}
    rows = [encode(tokenizer, recipe, json.loads(line)) for line in (DEMO / FILE).read_text().splitlines() if line.strip()]
    expected = {"file": FILE, "kinds": {}}
    for kind, settings in KINDS.items():
        name = kind.replace(" ", "-")
        make_adapter(settings, folder / name, STD)
        model = AutoModelForCausalLM.from_pretrained(DEMO, dtype=torch.float32)
        quantize_linears(model)
        base = loss_of(model, [row for row in rows if row])
        model = PeftModel.from_pretrained(model, folder / name).eval()
        answers = [answer(model, tokenizer, question, recipe["date_string"]) for question in QUESTIONS]
        expected["kinds"][name] = {"base": base, "loss": loss_of(model, [row for row in rows if row]), "answers": answers}
        print(name, expected["kinds"][name])
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
