"""Learning rates of transformers' schedules. Needs torch and transformers.
Run: python make_schedules.py > ../fixtures/schedules.json"""
import json

import torch
from transformers import get_scheduler
import transformers

LR = 3e-4
cases = []
for name, total, warm, kwargs in [
    ("linear", 20, 3, {}), ("linear", 7, 0, {}), ("cosine", 20, 3, {}), ("cosine", 20, 2, dict(num_cycles=1.5)),
    ("cosine_with_restarts", 20, 3, {}), ("cosine_with_restarts", 25, 2, dict(num_cycles=3)),
    ("cosine_with_min_lr", 20, 3, dict(min_lr=3e-5)), ("cosine_with_min_lr", 20, 0, dict(min_lr_rate=0.2, num_cycles=0.7)),
    ("cosine_warmup_with_min_lr", 20, 4, dict(min_lr_rate=0.1)), ("cosine_warmup_with_min_lr", 20, 4, dict(min_lr=1e-5, warmup_lr_rate=0.3)),
    ("polynomial", 20, 3, {}), ("polynomial", 20, 3, dict(lr_end=1e-5, power=2.0)),
    ("inverse_sqrt", 20, 3, {}), ("inverse_sqrt", 20, 0, {}), ("inverse_sqrt", 20, 4, dict(timescale=9)),
    ("constant", 10, 3, {}), ("constant_with_warmup", 10, 3, {}),
    ("warmup_stable_decay", 20, 3, dict(num_decay_steps=6)),
    ("warmup_stable_decay", 20, 4, dict(num_decay_steps=5, num_stable_steps=8, warmup_type="cosine", decay_type="linear", min_lr_ratio=0.1)),
    ("warmup_stable_decay", 20, 4, dict(num_decay_steps=9, warmup_type="1-sqrt", decay_type="1-sqrt", min_lr_ratio=0.05)),
]:
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    schedule = get_scheduler(name, opt, num_warmup_steps=warm, num_training_steps=total, scheduler_specific_kwargs=dict(kwargs) or None)
    rates = []
    for _ in range(total):
        rates.append(schedule.get_last_lr()[0])
        opt.step()
        schedule.step()
    cases.append(dict(lr_scheduler_type=name, totalSteps=total, warmupSteps=warm, lr_scheduler_kwargs=kwargs, learning_rate=LR, rates=rates))
print(json.dumps(dict(transformers=transformers.__version__, cases=cases), indent=1))
