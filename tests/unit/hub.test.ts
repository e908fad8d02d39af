import 'fake-indexeddb/auto';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { hubBase, isHubId, parseHubAddress } from '../../src/lib/hubAddress.ts';
import { fromHub, openHubModel } from '../../src/storage/hub/hub.ts';
import { listModels } from '../../src/storage/models.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { importModel } from '../../src/import/importModel.ts';
import { fakeHub, sendSlice, type FakeHub, type FakeRequest } from '../helpers/fakeHub.ts';
import { tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

const ID = 'someone/tiny-model';

let hub: FakeHub | undefined;
let count = 0;
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});

/** Blocks small enough that the tiny model has dozens; no test waits. */
const SETTINGS = { blockBytes: 2048, patience: { tries: 3, pauseMs: 1, silenceMs: 300 } };

async function bring(access: { token?: string } = {}, name = `hub ${count++}`) {
  const database = await openDatabase(name);
  const { files, revision } = await openHubModel(ID, { endpoint: hub!.url, ...access }, SETTINGS);
  const manifest = await fromHub(ID, () =>
    importModel({
      files,
      name: ID,
      revision,
      quantization: 'nf4',
      database,
      checkRoom: async () => undefined,
    }),
  );
  return { database, manifest };
}

const manifestOf = async (name?: string) => (await bring({}, name)).manifest.id;

async function bytesOf({ database, manifest }: Awaited<ReturnType<typeof bring>>) {
  const { weights } = await openModel(database, manifest.id);
  const all: string[] = [];
  for (const name of weights.tensors.keys())
    for await (const { part, bytes } of weights.stream(name))
      all.push(`${name} ${part} ${Buffer.from(bytes).toString('base64')}`);
  return all;
}

describe('a model from the Hub', () => {
  it('is stored as the same files dropped are, read by ranges, with its commit', async () => {
    const files = tinyModelFiles({ 'README.md': 'a card', 'pytorch_model.bin': 'pickle' });
    hub = await fakeHub(ID, files);
    const made = await bring();
    expect(made.manifest).toMatchObject({ name: ID, revision: 'f'.repeat(40), complete: true });
    expect(made.manifest.files[0].sha256).toMatch(/^[0-9a-f]{64}$/);
    const database = await openDatabase('dropped');
    const dropped = await importModel({
      files,
      name: 'tiny',
      quantization: 'nf4',
      database,
      checkRoom: async () => undefined,
    });
    expect(await bytesOf(made)).toEqual(await bytesOf({ database, manifest: dropped }));
    // What came over the network is hashed once, and every range is asked for once.
    expect(new Set(hub.requests).size).toBe(hub.requests.length);
    expect(hub.requests.filter((request) => /README|pytorch_model/.test(request))).toEqual([]);
    const weights = hub.requests.filter((request) => request.includes('model.safetensors'));
    expect(weights.every((request) => request.includes('bytes='))).toBe(true);
  });

  /** The tiny model in two shards with an index. */
  const sharded = () => {
    const all = [...tinyWeights()];
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const parts = [all.slice(0, all.length / 2), all.slice(all.length / 2)];
    const weight_map = Object.fromEntries(
      parts.flatMap((part, i) => part.map(([name]) => [name, names[i]] as const)),
    );
    return tinyModelFiles({
      'model.safetensors': null,
      'model.safetensors.index.json': JSON.stringify({ weight_map }),
      ...Object.fromEntries(parts.map((part, i) => [names[i], writeSafetensors(new Map(part))])),
    });
  };

  it('reads two shards at once, each front to back, and goes on with both', async () => {
    hub = await fakeHub(ID, sharded());
    const made = await bring();
    const blocks = hub.requests.flatMap((request) => {
      const [, shard, begin] = /model-0000(\d)-.* bytes=(\d+)-/.exec(request) ?? [];
      return shard ? [{ shard, begin: Number(begin) }] : [];
    });
    const of = (shard: string) => blocks.filter((block) => block.shard === shard);
    expect(of('1').length).toBeGreaterThan(10);
    // Tensors of both come at the same time, not the second after the first.
    const lastOfFirst = blocks.findLastIndex(({ shard }) => shard === '1');
    expect(blocks.slice(0, lastOfFirst).filter(({ shard }) => shard === '2').length).toBeGreaterThan(
      of('2').length / 3,
    );
    const whole = await openDatabase('whole');
    const dropped = await importModel({
      files: tinyModelFiles(),
      name: 'tiny',
      quantization: 'nf4',
      database: whole,
      checkRoom: async () => undefined,
    });
    const sorted = async (from: Parameters<typeof bytesOf>[0]) => (await bytesOf(from)).toSorted();
    expect(await sorted(made)).toEqual(await sorted({ database: whole, manifest: dropped }));
    hub.breakAfter = 20;
    const name = `hub ${count++}`;
    await expect(manifestOf(name)).rejects.toThrow(/it goes on where it stopped/);
    hub.breakAfter = -1;
    expect(await sorted(await bring({}, name))).toEqual(await sorted(made));
    // A byte of the second shard is another: nothing of the model stays.
    hub.contents.get('model-00002-of-00002.safetensors')![5000] ^= 1;
    await expect(manifestOf()).rejects.toThrow(/00002.*is not the file that the Hub lists/);
  });

  it('goes on where the connection broke', async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    hub.breakAfter = 6;
    const name = `hub ${count++}`;
    await expect(manifestOf(name)).rejects.toThrow(
      /connection to the Hub broke while someone\/tiny-model was read.*it goes on where it stopped/,
    );
    expect(await listModels(await openDatabase(name))).toMatchObject([{ complete: false }]);
    hub.breakAfter = -1;
    const made = await bring({}, name);
    expect(made.manifest.complete).toBe(true);
    expect(await listModels(made.database)).toHaveLength(1);
  });

  it('asks for a token where the model is gated, and sends the one it is given', async () => {
    hub = await fakeHub(ID, tinyModelFiles(), 'hf_secret');
    await expect(manifestOf()).rejects.toThrow(
      /does not give someone\/tiny-model without permission.*Accept its licence.*access token/,
    );
    await expect(bring({ token: 'secret' })).rejects.toThrow(/begins with "hf_"/);
    expect((await bring({ token: 'hf_secret' })).manifest.complete).toBe(true);
  });

  it('says that there is no such model, and what a name looks like', async () => {
    hub = await fakeHub('someone/else', tinyModelFiles());
    await expect(manifestOf()).rejects.toThrow(/no model someone\/tiny-model on the Hub. Check the spelling/);
    await expect(openHubModel('tiny', { endpoint: hub.url })).rejects.toThrow(
      /"tiny" is not the name of a model on the Hub. Write owner\/name/,
    );
    expect(['a/b', 'HuggingFaceTB/SmolLM2-135M-Instruct'].every(isHubId)).toBe(true);
    expect(['demo', 'folder:a/b', '../a/b', '', 'a/b/c'].some(isHubId)).toBe(false);
  });

  it('reads a revision, and addresses pasted from the browser', () => {
    const of = (text: string) => Object.values(parseHubAddress(text)).join(' ');
    expect(of('a/b')).toBe('a/b main');
    expect(of(' a/b@v1.0 ')).toBe('a/b v1.0');
    expect(of('a/b@refs/pr/3')).toBe('a/b refs/pr/3');
    expect(of('https://huggingface.co/a/b')).toBe('a/b main');
    expect(of('huggingface.co/a/b/')).toBe('a/b main');
    expect(of('https://huggingface.co/a/b/tree/refs%2Fpr%2F3')).toBe('a/b refs/pr/3');
    expect(of('https://huggingface.co/a/b/blob/0123abc/config.json?x=1#L3')).toBe('a/b 0123abc');
    expect(of('https://hf.co/a/b/resolve/main/model.safetensors')).toBe('a/b main');
    for (const wrong of ['https://evil.example/a/b', 'a/b@', 'a@b', 'https://huggingface.co/a', 'a/b@../c'])
      expect(() => parseHubAddress(wrong), wrong).toThrow(/is not the name of a model on the Hub/);
  });

  it('asks the revision that was named, and tells licence and size', async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    const found = await openHubModel(`${ID}@refs/pr/1`, { endpoint: hub.url }, SETTINGS);
    expect(hub.requests[0]).toBe(`/api/models/${ID}/revision/refs%2Fpr%2F1`);
    expect(found).toMatchObject({ licence: 'apache-2.0', unverified: [] });
    expect(found.bytes).toBe(found.files.reduce((sum, { blob }) => sum + blob.size, 0));
  });
});

describe('the token', () => {
  it('goes to no host but huggingface.co and this computer', () => {
    expect(hubBase()).toBe('https://huggingface.co');
    expect(hubBase('http://127.0.0.1:8080/')).toBe('http://127.0.0.1:8080');
    expect(hubBase('http://[::1]:8080')).toBe('http://[::1]:8080');
    const others = [
      'https://evil.example',
      'http://localhost.evil.example',
      'https://huggingface.co.evil.example',
    ];
    for (const other of [
      ...others,
      'http://huggingface.co@evil.example',
      'http://x:y@127.0.0.1',
      'javascript:1',
    ])
      expect(() => hubBase(other), other).toThrow(/downloads models from huggingface.co only/);
  });

  it.each([false, true])('is not sent across a redirect (cloudfront: %s)', async (isCloudfront) => {
    const files = tinyModelFiles();
    const other = await fakeHub(ID, files);
    other.fault = (_request, response) => {
      if (isCloudfront) response.setHeader('x-cache', 'Hit from cloudfront');
      return false;
    };
    hub = await fakeHub(ID, files, 'hf_secret');
    hub.fault = ({ weights, path }, response) => {
      if (!weights) return false;
      response.writeHead(302, { location: other.url.replace('127.0.0.1', 'localhost') + path }).end();
      return true;
    };
    expect((await bring({ token: 'hf_secret' })).manifest.complete).toBe(true);
    expect(hub.authorizations.length).toBeGreaterThan(3);
    expect(other.requests.length).toBeGreaterThan(10);
    expect(other.authorizations).toEqual([]);
    await other.close();
  });
});

describe('what comes from the Hub is verified', () => {
  const flip = (bytes: Buffer, at: number) => {
    const flipped = Buffer.from(bytes);
    flipped[at] ^= 1;
    return flipped;
  };

  it('against the SHA-256 of the listing: one flipped byte anywhere refuses the model', async () => {
    for (const at of [-5, 10_000, -20_000]) {
      hub = await fakeHub(ID, tinyModelFiles());
      const bytes = hub.contents.get('model.safetensors')!;
      hub.contents.set('model.safetensors', flip(bytes, (at + bytes.length) % bytes.length));
      const name = `hub ${count++}`;
      await expect(manifestOf(name)).rejects.toThrow(
        /model.safetensors is not the file that the Hub lists: its SHA-256 is .* removed: download it again/,
      );
      expect(await listModels(await openDatabase(name))).toEqual([]);
      await hub.close();
    }
  });

  it('where another file takes its place midway', async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    const bytes = hub.contents.get('model.safetensors')!;
    const other = Buffer.from(bytes.map((byte, i) => (i > bytes.length - 10_000 ? byte ^ 1 : byte)));
    hub.fault = ({ count: n }) => {
      if (n > 12) hub!.contents.set('model.safetensors', other);
      return false;
    };
    await expect(manifestOf()).rejects.toThrow(/model.safetensors is not the file that the Hub lists/);
  });

  it('also over an interruption: what was stored before it counts', async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    const bytes = hub.contents.get('model.safetensors')!;
    hub.contents.set('model.safetensors', flip(bytes, 5_000));
    hub.breakAfter = 24;
    const name = `hub ${count++}`;
    await expect(manifestOf(name)).rejects.toThrow(/connection to the Hub broke/);
    hub.breakAfter = -1;
    hub.contents.set('model.safetensors', bytes);
    await expect(manifestOf(name)).rejects.toThrow(/not the file that the Hub lists|changed on the Hub/);
    expect(await listModels(await openDatabase(name))).toEqual([]);
    expect((await bring({}, name)).manifest.complete).toBe(true);
  });

  it("against git's hash for small files", async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    hub.contents.set('tokenizer.json', flip(hub.contents.get('tokenizer.json')!, 99));
    await expect(manifestOf()).rejects.toThrow(/tokenizer.json is not the file that the Hub lists: its hash/);
  });
});

describe('a hub that does not answer as one', () => {
  type Answer = (request: FakeRequest, response: ServerResponse) => boolean;
  const html = (response: ServerResponse, status = 200) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Please log in</html>');
  const json = (response: ServerResponse, text: string) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  const cases: [string, Answer, RegExp][] = [
    [
      'a captive portal',
      ({ path }, response) => path.startsWith('/api') && !!html(response),
      /127.0.0.1:\d+ answered with a web page where the Hub sends JSON. If this network asks for a sign-in/,
    ],
    [
      'a captive portal once the weights are read',
      ({ weights, count: n }, response) => weights && n > 3 && !!html(response),
      /model.safetensors: 127.0.0.1:\d+ ignored the range that was asked for/,
    ],
    [
      'a listing that is an object',
      ({ path }, response) => path.includes('/tree/') && !!json(response, '{"error":"x"}'),
      /lists the files of someone\/tiny-model in a form that is not the Hub's/,
    ],
    [
      'a listing of other entries',
      ({ path }, response) => path.includes('/tree/') && !!json(response, '[null,{"type":"file","path":3}]'),
      /lists the files of someone\/tiny-model in a form that is not the Hub's/,
    ],
    [
      'no commit',
      ({ path }, response) => path.includes('/revision/') && !!json(response, '{}'),
      /does not say which commit of someone\/tiny-model is current/,
    ],
    [
      'an answer of null',
      ({ path }, response) => path.includes('/revision/') && !!json(response, 'null'),
      /does not say which commit/,
    ],
    [
      'ranges that are ignored',
      ({ weights }, response) =>
        weights && (sendSlice(response, hub!.contents.get('model.safetensors')!, null), true),
      /ignored the range that was asked for and sent something else/,
    ],
    [
      'a range that is shorter, consistently',
      ({ weights, count: n, slice, range }, response) =>
        weights &&
        n > 2 &&
        (sendSlice(response, slice.subarray(0, 10), [Number(/\d+/.exec(range!)![0]), 345_000]), true),
      /says that the file has 345000 bytes, the Hub's listing says|sent the bytes \d+ to \d+ where/,
    ],
    [
      'three bytes for the first range',
      ({ weights }, response) => weights && !!response.writeHead(206).end('abc'),
      /sent 3 bytes where 2048 were asked for/,
    ],
    [
      'a range cut off half way',
      ({ weights, count: n, slice, socket }, response) => {
        if (!weights || n < 3) return false;
        response.writeHead(206, { 'content-length': slice.length }).write(slice.subarray(0, 100));
        setTimeout(() => socket.destroy(), 5);
        return true;
      },
      /connection to the Hub broke while someone\/tiny-model was read: 127.0.0.1:\d+ could not be reached, or broke/,
    ],
    [
      'no answer',
      ({ weights, count: n }) => weights && n > 2,
      /connection to the Hub broke while someone\/tiny-model was read: .* did not send anything for 0.3 seconds/,
    ],
    [
      'too many requests',
      ({ weights }, response) => weights && !!response.writeHead(429).end(),
      /answers too many requests at the moment \(status 429\). Wait some minutes/,
    ],
    [
      'a redirect to a script',
      ({ weights }, response) => weights && !!response.writeHead(302, { location: 'javascript:1' }).end(),
      /could not be reached, or broke off/,
    ],
  ];

  it.each(cases)('%s', async (_name, fault, message) => {
    hub = await fakeHub(ID, tinyModelFiles());
    hub.fault = fault;
    await expect(manifestOf()).rejects.toThrow(message);
  });

  it('goes on by itself where a range was not answered, and after Retry-After', async () => {
    hub = await fakeHub(ID, tinyModelFiles());
    let silent = 0;
    let busy = 0;
    hub.fault = ({ weights, count: n }, response) => {
      if (weights && n === 4 && silent++ < 1) return true;
      if (weights && n > 9 && busy++ < 1) return !!response.writeHead(503, { 'retry-after': '0.01' }).end();
      return false;
    };
    expect((await bring()).manifest.complete).toBe(true);
    expect([silent, busy > 0]).toEqual([1, true]);
  });
});
