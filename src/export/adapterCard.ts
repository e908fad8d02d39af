import { inMarkdown, inPython, inYaml } from './escape.ts';
import { curve, lossSets } from '../training/metrics.ts';
import type { Recipe } from '../training/recipe.ts';
import type { RunResult } from '../training/runRecord.ts';

/** README.md of an exported adapter: no dates or times, so that the same run gives the same bytes. */
export function adapterCard(
  recipe: Recipe,
  modelName: string,
  { lines, adapterStep, totalSteps }: Pick<RunResult, 'lines' | 'adapterStep' | 'totalSteps'>,
): string {
  const names = lossSets(lines);
  const rows = names.map((name) => {
    const { values } = curve(lines, `eval_${name}_loss`);
    return `| ${inMarkdown(name)} | ${values[0].toFixed(4)} | ${values.at(-1)!.toFixed(4)} |`;
  });
  const { r, lora_alpha, use_rslora } = recipe.lora;
  const trained = [
    `r ${r}`,
    `alpha ${lora_alpha}${use_rslora ? ', rank-stabilised' : ''}`,
    `base weights ${recipe.quantization === 'nf4' ? 'in NF4' : recipe.quantization === 'gguf' ? "in the GGUF's own blocks" : 'as stored'}`,
    `step ${adapterStep} of ${totalSteps}`,
    `seed ${recipe.training.seed}`,
  ].join(', ');
  return `---
base_model: ${inYaml(modelName)}
library_name: peft
tags: [lora]
---

# LoRA adapter for ${inMarkdown(modelName)}

Trained by Finetab: ${trained}.
${rows.length > 0 ? `\n| validation set | loss before | loss after |\n|---|---|---|\n${rows.join('\n')}\n` : ''}
\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(${inPython(modelName)}), "THIS FOLDER")
\`\`\`
`;
}
