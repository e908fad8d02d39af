/** `npm run check`: format, lint, import rules and types, without running a test. */
import { runChecks } from './lib/checks.ts';

export async function main(): Promise<number> {
  const { passed, failed } = await runChecks();
  console.log(
    `\n${passed.length} passed, ${failed.length} failed${failed.map((name) => `\n   ${name}`).join('')}`,
  );
  return failed.length > 0 ? 1 : 0;
}
