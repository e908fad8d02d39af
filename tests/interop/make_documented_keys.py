"""Writes tests/fixtures/documentedKeys.json: the parameters that the documentation of each class has an anchor for.

usage: make_documented_keys.py TRL PEFT   (the source folders of both; transformers is the installed one)
"""

import ast
import json
import re
import sys
from pathlib import Path

from transformers import GenerationConfig, Seq2SeqTrainingArguments, TrainingArguments

trl, peft = map(Path, sys.argv[1:])


def documented(docstring):
    return sorted(set(re.findall(r"^\s+(\w+) ?\(`", docstring, re.M)))


def of_source(path, name):
    classes = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))
    return documented(ast.get_docstring(next(c for c in classes if c.name == name), clean=False))


keys = {
    f"transformers.{c.__name__}": documented(c.__doc__)
    for c in (TrainingArguments, Seq2SeqTrainingArguments, GenerationConfig)
}
for name in ("sft", "dpo", "kto", "grpo"):
    keys[f"trl.{name.upper()}Config"] = of_source(trl / f"trl/trainer/{name}_config.py", f"{name.upper()}Config")
keys["trl.experimental.cpo.CPOConfig"] = of_source(trl / "trl/experimental/cpo/cpo_config.py", "CPOConfig")
keys["peft.LoraConfig"] = of_source(peft / "src/peft/tuners/lora/config.py", "LoraConfig")
out = Path(__file__).parent.parent / "fixtures" / "documentedKeys.json"
out.write_text(json.dumps(keys, indent=0) + "\n")
