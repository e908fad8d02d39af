/**
 * `npm run reference -- FOLDER OUT`: replays a folder of references through the engine and writes what the
 * engine computes, under the names of golden.safetensors and golden.json. It reads the model, the batch, the
 * first adapter and the probe, never an answer.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../src/formats/checkpoint.ts';
import { writeSafetensors, type TensorToWrite } from '../src/formats/safetensors.ts';
import { withOwnHead } from '../src/import/ownHead.ts';
import { largest } from '../src/lib/extremes.ts';
import { chatReference } from './lib/chatReference.ts';
import { tokenizerFilesOf } from './lib/modelTokenizer.ts';
import { filesOf } from './lib/nodeFiles.ts';
import { openNodeGpu } from './lib/nodeGpu.ts';
import { readArrays } from './lib/readArrays.ts';
import { textsReference } from './lib/textsReference.ts';
import { replayGguf } from './lib/replayGguf.ts';
import { replayPreference, type PreferenceData } from './lib/replayPreference.ts';
import { refuseBeyondDynamicRope } from './lib/dynamicRope.ts';
import { NEW_TOKENS, type ReferenceDocument } from './lib/greedyAnswers.ts';
import { GREEDY_DOCUMENTS, replayReference } from './lib/replayReference.ts';

export async function main([folder, out]: string[]): Promise<number> {
  if (!folder || !out) {
    console.error('usage: npm run reference -- FOLDER OUT');
    return 2;
  }
  await mkdir(out, { recursive: true });
  const json = async <T>(name: string): Promise<T> =>
    JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
  if (existsSync(join(folder, 'chat.json'))) {
    const result = chatReference(await json('chat.json'), await tokenizerFilesOf(folder));
    await writeFile(join(out, 'chat.json'), `${JSON.stringify(result, null, 1)}\n`);
    return 0;
  }
  if (existsSync(join(folder, 'texts.json'))) {
    const result = textsReference(await json('texts.json'), await tokenizerFilesOf(folder));
    await writeFile(join(out, 'texts.json'), `${JSON.stringify(result)}\n`);
    return 0;
  }
  const source = await withOwnHead(
    await openCheckpoint((await filesOf(folder)).filter(({ path }) => !path.includes('/'))),
  );
  if (source.gguf) {
    const { arrays, scalars } = await replayGguf(
      await openNodeGpu(),
      source,
      await json<ReferenceDocument[]>('batch.json'),
    );
    await writeFile(join(out, 'reference.safetensors'), writeSafetensors(arrays));
    await writeFile(join(out, 'reference.json'), `${JSON.stringify(scalars, null, 1)}\n`);
    return 0;
  }
  const preference = existsSync(join(folder, 'preference.json'))
    ? await json<PreferenceData>('preference.json')
    : null;
  const documents = existsSync(join(folder, 'batch.json'))
    ? await json<ReferenceDocument[]>('batch.json')
    : null;
  refuseBeyondDynamicRope(source.config, longestOf(documents ?? [], preference));
  const context = await openNodeGpu();
  const start = {
    context,
    source,
    initial: await readArrays(join(folder, 'adapter_init', 'adapter_model.safetensors')),
    initialConfig: await json<{ r: number; lora_alpha: number }>('adapter_init/adapter_config.json'),
    log: (line: string) => console.log(line),
  };
  if (preference) {
    const result = await replayPreference({ ...start, data: preference });
    await writeFile(join(out, 'reference_preference.json'), `${JSON.stringify(result, null, 1)}\n`);
  }
  if (!documents) return 0;
  const result = await replayReference({
    ...start,
    documents,
    initialQlora: existsSync(join(folder, 'adapter_qlora_init'))
      ? await readArrays(join(folder, 'adapter_qlora_init', 'adapter_model.safetensors'))
      : undefined,
    probe: await readArrays(join(folder, 'golden.safetensors'), (name) => name.startsWith('probe_')),
  });
  const arrays = new Map<string, TensorToWrite>(result.arrays);
  await writeFile(join(out, 'reference.safetensors'), writeSafetensors(arrays));
  await writeFile(join(out, 'reference.json'), `${JSON.stringify(result.scalars, null, 1)}\n`);
  for (const [name, files] of Object.entries(result.adapters)) {
    await mkdir(join(out, name), { recursive: true });
    for (const [file, bytes] of files) await writeFile(join(out, name, file), bytes);
  }
  return 0;
}

/** Tokens of the longest sequence; a document's prompt and its answer are one too. */
function longestOf(documents: readonly ReferenceDocument[], preference: PreferenceData | null): number {
  const lengths = documents.map(({ input_ids }) => input_ids.length);
  for (const { labels } of documents.slice(0, GREEDY_DOCUMENTS))
    lengths.push(labels.filter((label) => label === -100).length + NEW_TOKENS);
  for (const { prompt_ids, chosen_ids, rejected_ids } of preference?.pairs ?? [])
    lengths.push(prompt_ids.length + Math.max(chosen_ids.length, rejected_ids.length));
  for (const { prompt_ids, completions } of preference?.groups ?? [])
    for (const completion of completions) lengths.push(prompt_ids.length + completion.length);
  return largest(lengths);
}
