"""AdamW of torch with other betas, and LabelSmoother of transformers. Needs torch and transformers.
Run: python make_training_settings.py > ../fixtures/trainingSettings.json"""
import json

import torch
from transformers.trainer_pt_utils import LabelSmoother

torch.set_default_dtype(torch.float64)
g = torch.Generator().manual_seed(1)
adam = []
for beta1, beta2, eps, decay in [(0.9, 0.999, 1e-8, 0.0), (0.8, 0.95, 1e-6, 0.1), (0.95, 0.9, 1e-3, 0.01)]:
    start = torch.randn(6, generator=g)
    grads = torch.randn(5, 6, generator=g) * 0.1
    p = torch.nn.Parameter(start.clone())
    opt = torch.optim.AdamW([p], lr=1e-2, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    path = []
    for grad in grads:
        p.grad = grad.clone()
        opt.step()
        path.append(p.tolist())
    adam.append(dict(adam_beta1=beta1, adam_beta2=beta2, adam_epsilon=eps, weight_decay=decay, start=start.tolist(), grads=grads.tolist(), path=path))
smoothing = []
for epsilon in (0.1, 0.3):
    logits = torch.randn(1, 5, 7, generator=g) * 2
    logits.requires_grad_()
    labels = torch.tensor([[3, -100, 0, 6, 2]])
    loss = LabelSmoother(epsilon)(dict(logits=logits), labels)
    loss.backward()
    smoothing.append(dict(epsilon=epsilon, logits=logits[0].tolist(), labels=labels[0].tolist(), loss=loss.item(), gradient=logits.grad[0].tolist()))
print(json.dumps(dict(adam=adam, smoothing=smoothing)))
