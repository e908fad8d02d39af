"""The rows of a run, and the order in which the page draws them."""

import json
import math

import torch

U32 = 0xFFFFFFFF
IGNORED = -100


def mix(x):
    """lowbias32, of which the page makes its random numbers."""
    x ^= x >> 16
    x = x * 0x7FEB352D & U32
    x ^= x >> 15
    x = x * 0x846CA68B & U32
    return x ^ x >> 16


def key(state, more):
    return mix(state ^ mix(more + 0x9E3779B9 & U32))


def shuffled(n, seed, epoch):
    """The page's order of the rows of an epoch: Fisher-Yates by counter-based numbers."""
    order = list(range(n))
    state = key(key(mix(seed), 0x73687566), epoch)
    for i in range(n - 1, 0, -1):
        j = key(state, i) * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def grouped_by_length(order, lengths, per_step):
    """transformers' get_length_grouped_indices over a given order."""
    size = (min(len(order) // (per_step * 4), 50) or 1) * per_step
    pieces = [sorted(order[i : i + size], key=lambda row: -lengths[row]) for i in range(0, len(order), size)]
    longest = max(range(len(pieces)), key=lambda i: (lengths[pieces[i][0]], -i))
    pieces[0][0], pieces[longest][0] = pieces[longest][0], pieces[0][0]
    return [row for piece in pieces for row in piece]


def rows_of_steps(first, last, lengths, settings, per_step):
    """Row numbers of the steps [first, last), `per_step` each; -1 fills the last step of an epoch."""
    per_epoch = math.ceil(len(lengths) / per_step)
    rows, epoch, order = [], -1, []
    for step in range(first, last):
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            order = shuffled(len(lengths), settings["seed"], epoch)
            if settings["group_by_length"]:
                order = grouped_by_length(order, lengths, per_step)
        at = step % per_epoch * per_step
        drawn = order[at : at + per_step]
        rows += drawn + [-1] * (per_step - len(drawn))
    return rows


def read_rows(path, tokenizer, recipe):
    """Rows as ids and labels; rows of `messages`, or of `query` and `response`, are rendered by the template."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        if "input_ids" not in row:
            row = rendered(row, tokenizer, recipe, f"{path.name}:{number}")
        # No token is predicted at a row's beginning.
        labels = [IGNORED, *row["labels"][1:]]
        rows.append({"input_ids": row["input_ids"], "labels": labels, "attention_mask": [1] * len(labels)})
    if not rows:
        raise SystemExit(f"{path} holds no rows. Put one JSON object a line into it.")
    return rows


def rendered(row, tokenizer, recipe, where):
    messages = row.get("messages")
    if messages is None:
        if "query" not in row or "response" not in row:
            raise SystemExit(
                f"{where} has neither input_ids and labels, nor messages, nor query and response."
            )
        messages = [
            {"role": "user", "content": row["query"]},
            {"role": "assistant", "content": row["response"]},
        ]
        if recipe["system_prompt"] is not None:
            messages.insert(0, {"role": "system", "content": recipe["system_prompt"]})
    options = {"tokenize": True, "return_dict": False, "date_string": recipe["date_string"]}
    whole = tokenizer.apply_chat_template(messages, **options)
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, **options)
    if whole[: len(prompt)] != prompt:
        raise SystemExit(
            f"{where}: the prompt is no beginning of the whole conversation, so that no mask is known."
        )
    ids = whole[: recipe["max_length"]]
    return {"input_ids": ids, "labels": ([IGNORED] * len(prompt) + whole[len(prompt) :])[: len(ids)]}


def collate(rows, pad):
    longest = max(len(row["input_ids"]) for row in rows)
    fill = {"input_ids": pad, "labels": IGNORED, "attention_mask": 0}
    return {
        name: torch.tensor([row[name] + [value] * (longest - len(row[name])) for row in rows])
        for name, value in fill.items()
    }
