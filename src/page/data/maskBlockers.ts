import type { FileReport } from '../../worker/dataset/datasetProtocol.ts';

/** What would be learned wrongly from every row, however long it trains. */
export function maskBlockers(report: FileReport | null | undefined): string[] {
  if (!report || report.summary.rows === 0) return [];
  const { file, summary, mask, padToken } = report;
  const reasons: string[] = [];
  if (summary.supervisedTokens === 0 && !report.prompts)
    reasons.push(`${file} has no token to learn from. Check its answers and the chat template.`);
  if (mask.padIsEnd)
    reasons.push(
      `The token ${padToken} both fills batches and ends answers with this model. Use a model whose pad token is another.`,
    );
  if (!report.prompts && mask.withoutEnd > 0 && mask.withoutEnd === summary.rows - summary.truncatedRows)
    reasons.push(
      `No row of ${file} ends with a token that ends answers (${report.unit} ${mask.firstWithoutEnd} is the first): the model would never learn to stop. Use a model whose chat template closes the answer.`,
    );
  return reasons;
}
