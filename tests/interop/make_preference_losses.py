"""Losses of preference methods and their slopes, by TRL's own functions where it has them as functions: SimPO
(CPOTrainer.cpo_loss), ORPO (ORPOTrainer.odds_ratio_loss). KTO is the text of KTOTrainer._compute_loss, DPO and IPO
that of DPOTrainer's, in float64. Needs trl and torch. Run: python make_preference_losses.py > ../fixtures/preferenceLosses.json
"""
import json
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
generator = torch.Generator().manual_seed(3)
PAIRS = 6
tokens = torch.randint(3, 40, (2, PAIRS), generator=generator)
policy = -torch.rand(2, PAIRS, generator=generator) * tokens * 2 - 0.01
reference = -torch.rand(2, PAIRS, generator=generator) * tokens * 2 - 0.01
accelerator = SimpleNamespace(device="cpu")


def simpo(s, chosen, rejected):
    trainer = SimpleNamespace(accelerator=accelerator, loss_type="simpo", beta=s["beta"], simpo_gamma=s["simpo_gamma"],
                              label_smoothing=s["label_smoothing"], alpha=0.0)
    return CPOTrainer.cpo_loss(trainer, chosen / tokens[0], rejected / tokens[1])


def orpo(s, chosen, rejected):
    trainer = SimpleNamespace(accelerator=accelerator, beta=s["beta"])
    losses, *rewards = ORPOTrainer.odds_ratio_loss(trainer, chosen / tokens[0], rejected / tokens[1])
    return -losses, *rewards[:2]


def dpo(s, chosen, rejected):
    ratios = chosen - reference[0], rejected - reference[1]
    h, b, e = ratios[0] - ratios[1], s["beta"], s["label_smoothing"]
    return -F.logsigmoid(b * h) * (1 - e) - F.logsigmoid(-b * h) * e, b * ratios[0], b * ratios[1]


def ipo(s, chosen, rejected):
    ratios = (chosen - reference[0]) / tokens[0], (rejected - reference[1]) / tokens[1]
    return (ratios[0] - ratios[1] - 1 / (2 * s["beta"])) ** 2, s["beta"] * ratios[0], s["beta"] * ratios[1]


cases = []
for method, fn, settings in [
    ("dpo", dpo, dict(beta=0.1, label_smoothing=0.0)), ("dpo", dpo, dict(beta=0.3, label_smoothing=0.1)),
    ("ipo", ipo, dict(beta=0.2)), ("simpo", simpo, dict(beta=2.0, simpo_gamma=0.5, label_smoothing=0.0)),
    ("simpo", simpo, dict(beta=1.0, simpo_gamma=0.3, label_smoothing=0.2)), ("orpo", orpo, dict(beta=0.1)),
]:
    chosen, rejected = (policy[i].clone().requires_grad_() for i in (0, 1))
    losses, *rewards = fn(settings, chosen, rejected)
    losses.sum().backward()
    cases.append(dict(method=method, settings=settings, loss=losses.tolist(), byChosen=chosen.grad.tolist(),
                      byRejected=rejected.grad.tolist(), rewards=[r.tolist() for r in rewards]))

wanted = [True, False, True, True, False, False]
kto = []
for settings in [dict(beta=0.1, desirable_weight=1.0, undesirable_weight=1.0), dict(beta=0.4, desirable_weight=1.3, undesirable_weight=0.7)]:
    for use_kl in (True, False):
        logps = policy[0].clone().requires_grad_()
        ratio = logps - reference[0]
        kl = (policy[1] - reference[1]).mean().clamp(min=0) if use_kl else torch.zeros(())
        mask = torch.tensor(wanted)
        chosen = 1 - torch.sigmoid(settings["beta"] * (ratio - kl))
        rejected = 1 - torch.sigmoid(settings["beta"] * (kl - ratio))
        losses = torch.where(mask, settings["desirable_weight"] * chosen, settings["undesirable_weight"] * rejected)
        losses.sum().backward()
        kto.append(dict(settings=settings, usesReferencePoint=use_kl, point=kl.item(), loss=losses.tolist(), slope=logps.grad.tolist()))

print(json.dumps(dict(tokens=tokens.tolist(), policy=policy.tolist(), reference=reference.tolist(), pairs=cases, wanted=wanted, kto=kto), indent=1))
