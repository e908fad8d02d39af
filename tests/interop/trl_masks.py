"""Holds the page's masks against TRL's SFTTrainer (assistant_only_loss, and prompt and completion) on a file of conversations.

    python tests/interop/trl_masks.py DATA.jsonl TEMPLATES TOKENIZER OUT TEMPLATE...

DATA.jsonl has `messages`; TEMPLATES is a folder of .jinja files (huggingface/trl's), TOKENIZER a tokenizer's folder, OUT a folder to write in, TEMPLATE names of
templates that mark answers for TRL (`qwen3_training`). Needs trl, torch and node. Prints per template how many rows have the same ids and labels, how many TRL
supervises otherwise and how, and how many the page refuses or splits into one document an answer.
"""

import json
import os
import shutil
import subprocess
import sys

import datasets
import transformers
import trl

IGNORED = -100


def inspected(data, model, out):
    """Documents by line, as the page's data path makes them."""
    recipe = os.path.join(out, "recipe.json")
    with open(recipe, "w") as file:
        json.dump({"system_prompt": None, "max_length": 100000}, file)
    command = ["node", "scripts/run.mjs", "scripts/inspect.ts", data, "--model", model, "--recipe", recipe, "--rows"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["files"][0]
    documents = {}
    for document in found["documents"]:
        documents.setdefault(document["line"], []).append((document["input_ids"], document["labels"]))
    return documents, {problem["line"]: problem["message"] for problem in found["problems"]}


def trained(rows, tokenizer, out, **settings):
    """ids and labels as SFTTrainer's own preparation and collator give them."""
    config = transformers.LlamaConfig(vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    args = trl.SFTConfig(output_dir=out, max_length=None, report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False, **settings)
    trainer = trl.SFTTrainer(transformers.LlamaForCausalLM(config), args=args, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer)
    made = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        made.append((batch["input_ids"][0].tolist(), batch["labels"][0].tolist()))
    return made


def kind_of(ids, labels, own, tokenizer):
    """How TRL's labels differ from the page's of the same ids."""
    more = [token for token, theirs, ours in zip(ids, labels, own) if theirs != IGNORED and ours == IGNORED]
    less = [token for token, theirs, ours in zip(ids, labels, own) if theirs == IGNORED and ours != IGNORED]
    texts = lambda tokens: sorted({tokenizer.decode([token]) for token in tokens})[:6]
    return f"TRL alone learns {texts(more)}, the page alone {texts(less)}"


def is_split_alike(ids, labels, documents):
    """Whether documents of one answer each learn together what TRL learns of the whole, and beside it the end that the template writes after the last turn only.

    Each document but for its end is how the whole begins.
    """
    learned = set()
    for own_ids, own_labels in documents:
        shared = next((place for place, (own, theirs) in enumerate(zip(own_ids, ids)) if own != theirs), min(len(own_ids), len(ids)))
        if len(own_ids) - shared > 2 or any(own == IGNORED for own in own_labels[shared:]):
            return False
        learned |= {place for place in range(shared) if own_labels[place] != IGNORED}
    return learned == {place for place, label in enumerate(labels) if label != IGNORED}


def compare(name, rows, made, documents, problems, tokenizer):
    same, differing, split, alike, refused = 0, {}, 0, 0, {}
    for line, (ids, labels) in enumerate(made, 1):
        own = documents.get(line, [])
        if not own:
            refused[problems[line][:90]] = refused.get(problems[line][:90], 0) + 1
        elif len(own) > 1:
            split += 1
            alike += is_split_alike(ids, labels, own)
        elif own[0] == (ids, labels):
            same += 1
        else:
            kind = kind_of(ids, labels, own[0][1], tokenizer) if own[0][0] == ids else "other ids"
            differing[kind] = differing.get(kind, 0) + 1
    print(f"{name}: {len(rows)} rows, {same} equal, {split} split by answer ({alike} of them learn the same and each answer's own end), {sum(refused.values())} refused, {sum(differing.values())} differ", flush=True)
    for kind, count in {**differing, **refused}.items():
        print(f"    {count}: {kind}", flush=True)


def main(data, templates, tokenizer_folder, out, *names):
    with open(data) as file:
        rows = [json.loads(line) for line in file]
    pairs = [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in rows]
    pair_file = os.path.join(out, "pairs.jsonl")
    os.makedirs(out, exist_ok=True)
    with open(pair_file, "w") as file:
        file.writelines(json.dumps(pair) + "\n" for pair in pairs)
    for name in names:
        model = os.path.join(out, name)
        shutil.copytree(tokenizer_folder, model, dirs_exist_ok=True)
        shutil.copy(os.path.join(templates, f"{name}.jinja"), os.path.join(model, "chat_template.jinja"))
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        made = trained([{"messages": row["messages"]} for row in rows], tokenizer, out, assistant_only_loss=True)
        compare(f"{name}, assistant_only_loss", rows, made, *inspected(data, model, out), tokenizer)
        made = trained(pairs, tokenizer, out, completion_only_loss=True)
        compare(f"{name}, completion only", rows, made, *inspected(pair_file, model, out), tokenizer)


main(*sys.argv[1:])
