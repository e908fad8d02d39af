import { t } from '../../language/messages.svelte.ts';
import type { FileReport } from '../../../worker/dataset/datasetProtocol.ts';

/** What would be learned wrongly from every row, however long it trains. */
export function maskBlockers(report: FileReport | null | undefined): string[] {
  if (!report || report.summary.rows === 0) return [];
  const { file, summary, mask, padToken } = report;
  const reasons: string[] = [];
  if (summary.supervisedTokens === 0 && !report.prompts) reasons.push(t.data.noTokenToLearn(file));
  if (mask.padIsEnd) reasons.push(t.data.padIsEnd(padToken));
  if (!report.prompts && mask.withoutEnd > 0 && mask.withoutEnd === summary.rows - summary.truncatedRows)
    reasons.push(t.data.noRowEnds(file, t.data.place(report.unit, mask.firstWithoutEnd!)));
  return reasons;
}
