import { inMarkdown, inPython, inYaml } from './escape.ts';
import { curve, lossSets } from '../training/metrics.ts';
import { isHubId } from '../lib/hubAddress.ts';
import { loraScale } from '../formats/loraScale.ts';
import type { Recipe } from '../training/recipe.ts';
import type { RunResult } from '../training/runRecord.ts';

/** README.md of an exported adapter: no dates or times, so that the same run gives the same bytes. */
export function adapterCard(
  recipe: Recipe,
  baseName: string,
  { lines, adapterStep, totalSteps }: Pick<RunResult, 'lines' | 'adapterStep' | 'totalSteps'>,
): string {
  const names = lossSets(lines);
  const rows = names.map((name) => {
    const { values } = curve(lines, `eval_${name}_loss`);
    return `| ${inMarkdown(name)} | ${values[0].toFixed(4)} | ${values.at(-1)!.toFixed(4)} |`;
  });
  const { r, lora_alpha, use_rslora } = recipe.lora;
  const scale = rounded(loraScale(recipe.lora));
  const trained = [
    `r ${r}`,
    `alpha ${lora_alpha}`,
    use_rslora
      ? `rank-stabilised: scale alpha / √r = ${scale} (use_rslora; not alpha / r = ${rounded(lora_alpha / r)})`
      : `scale alpha / r = ${scale}`,
    `base weights ${recipe.quantization === 'nf4' ? 'in NF4' : recipe.quantization === 'gguf' ? "in the GGUF's own blocks" : 'as stored'}`,
    `step ${adapterStep} of ${totalSteps}`,
    `seed ${recipe.training.seed}`,
  ].join(', ');
  const unknown = !isHubId(baseName)
    ? `\nThe base model was read from files called "${inMarkdown(baseName)}"; by which name the Hub has it is not known here. Put that name, or the path of its folder, in the place of that name below and in adapter_config.json's base_model_name_or_path.\n`
    : '';
  return `---
${isHubId(baseName) ? `base_model: ${inYaml(baseName)}\n` : ''}library_name: peft
tags: [lora]
---

# LoRA adapter for ${inMarkdown(baseName)}

Trained by Finetab: ${trained}.
${unknown}${rows.length > 0 ? `\n| validation set | loss before | loss after |\n|---|---|---|\n${rows.join('\n')}\n` : ''}
\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(${inPython(baseName)}), "THIS FOLDER")
\`\`\`
`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
