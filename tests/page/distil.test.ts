/** Answers of another model on this computer, from a server of this test that speaks as OpenAI's does. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressWith, answersEndpoint, answersOrigin } from '../../src/page/data/distil/answersAddress.ts';
import { Distil } from '../../src/page/data/distil/Distil.svelte.ts';

interface Asked {
  model: string;
  messages: { role: string; content: string }[];
  max_tokens: number;
  temperature: number;
}

let server: Server;
let origin: string;
let asked: Asked[];
let reply: (asked: Asked, response: ServerResponse) => void;

const answer = (response: ServerResponse, content: string, finish_reason = 'stop') =>
  response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason }] }));

beforeEach(async () => {
  asked = [];
  reply = ({ messages }, response) => answer(response, `You said: ${messages.at(-1)!.content}`);
  server = createServer((request: IncomingMessage, response) => {
    if (request.url === '/v1/models')
      return void response.end(JSON.stringify({ data: [{ id: 'small' }, { id: 'large' }] }));
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      asked.push(JSON.parse(body) as Asked);
      reply(asked.at(-1)!, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('the server of answers', () => {
  it('is one on this computer, which the address of the page names', () => {
    expect(answersOrigin('localhost:11434')).toBe('http://localhost:11434');
    expect(answersOrigin('http://127.0.0.1:8080/v1')).toBe('http://127.0.0.1:8080');
    for (const other of [
      'https://api.openai.com',
      'http://localhost.evil.example',
      'http://10.0.0.2:1',
      'http://user@evil.example',
    ])
      expect(() => answersOrigin(other)).toThrow(/is not on this computer/);
    expect(() => answersOrigin('http://')).toThrow(/is no address/);
    expect(answersEndpoint('https://page.example/')).toBe(null);
    expect(answersEndpoint('https://page.example/?answers=https://evil.example')).toBe(null);
    const href = addressWith('http://localhost:1234', 'https://page.example/?tune=off');
    expect(answersEndpoint(href)).toBe('http://localhost:1234');
    expect(new URL(href).searchParams.get('tune')).toBe('off');
  });

  it('is asked when it is asked for, and its answers are changed, left out and kept as rows', async () => {
    const distil = new Distil(origin);
    expect(asked).toEqual([]);
    await distil.listModels();
    expect([distil.models, distil.model]).toEqual([['small', 'large'], 'small']);
    distil.prompts = ' One? \n\nTwo?\nThree?\nOne?';
    expect(distil.questions).toEqual(['One?', 'Two?', 'Three?']);
    expect(asked).toEqual([]);
    await distil.fetchAnswers('Be kind.');
    expect(asked.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ['Be kind.', 'One?'],
      ['Be kind.', 'Two?'],
      ['Be kind.', 'Three?'],
    ]);
    expect(asked[0]).toMatchObject({ model: 'small', max_tokens: 512, temperature: 0.7, stream: false });
    expect([distil.busy, distil.error]).toEqual([false, null]);
    distil.rows[0].answer = 'Changed "by" hand.';
    distil.remove(1);
    expect(await distil.file().text()).toBe(
      '{"query":"One?","response":"Changed \\"by\\" hand."}\n{"query":"Three?","response":"You said: Three?"}\n',
    );
  });

  it('sends no system message where the recipe has none', async () => {
    const distil = new Distil(origin);
    distil.prompts = 'One?';
    await distil.fetchAnswers(null);
    expect(asked[0].messages).toEqual([{ role: 'user', content: 'One?' }]);
  });

  it('that fails on one prompt is asked for the next ones; the row says why', async () => {
    reply = ({ messages }, response) => {
      const { content } = messages.at(-1)!;
      if (content === 'Two?') response.writeHead(500).end('{"error": {"message": "out of memory"}}');
      else answer(response, 'x', content === 'Three?' ? 'length' : 'stop');
    };
    const distil = new Distil(origin);
    distil.prompts = 'One?\nTwo?\nThree?\nFour?';
    await distil.fetchAnswers(null);
    expect(distil.rows.map(({ failure }) => failure)).toEqual([
      null,
      expect.stringMatching(/answered 500: out of memory/),
      expect.stringMatching(/cut off after 512 tokens/),
      null,
    ]);
    expect(distil.answered.map(({ prompt }) => prompt)).toEqual(['One?', 'Four?']);
  });

  it('can be stopped, with the answers so far kept', async () => {
    const distil = new Distil(origin);
    reply = ({ messages }, response) => {
      if (messages.at(-1)!.content === 'Two?') distil.stop();
      else answer(response, 'x');
    };
    distil.prompts = 'One?\nTwo?\nThree?';
    await distil.fetchAnswers(null);
    expect(distil.rows.map(({ prompt }) => prompt)).toEqual(['One?']);
    expect([distil.busy, distil.error, asked.length]).toEqual([false, null, 2]);
  });

  it('that is not there, or is something else, is named with what to do', async () => {
    reply = (_, response) => response.end('<html>');
    const other = new Distil(origin);
    other.prompts = 'One?';
    await other.fetchAnswers(null);
    expect(other.error).toMatch(/answered with no JSON.*OpenAI-compatible/);
    reply = (_, response) => response.end('{}');
    await other.fetchAnswers(null);
    expect(other.error).toMatch(/gave no answer: is it an OpenAI-compatible server/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await other.listModels();
    expect(other.error).toMatch(/cannot be reached\. Is the server running/);
  });
});
