import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import { modelfile } from '../../src/export/ollama/modelfile.ts';
import {
  ollamaTemplate,
  promptSegments,
  renderSegments,
  type TemplateMessage,
} from '../../src/export/ollama/ollamaTemplate.ts';

function renderOf(source: string) {
  const template = new ChatTemplate(source, { bos_token: '<s>', eos_token: '</s>' });
  return (messages: readonly TemplateMessage[], addGenerationPrompt: boolean) =>
    template.render(messages, { addGenerationPrompt, dateString: '26 Jul 2024' });
}

const CHATML =
  "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}" +
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

describe('the segments of a chat template', () => {
  it('are the texts around the contents', () => {
    expect(promptSegments(renderOf(CHATML))).toEqual({
      startToUser: '<s><|im_start|>user\n',
      startToSystem: '<s><|im_start|>system\n',
      systemToUser: '<|im_end|>\n<|im_start|>user\n',
      userToAssistant: '<|im_end|>\n<|im_start|>assistant\n',
      assistantToUser: '<|im_end|>\n<|im_start|>user\n',
      generationPrompt: '<|im_end|>\n<|im_start|>assistant\n',
    });
  });

  it('keep a default system text, and a generation prompt that history does not have', () => {
    const render = renderOf(
      "{% if messages[0]['role'] != 'system' %}[SYS]default[/SYS]{% endif %}{% for m in messages %}" +
        "[{{ m['role'] }}]{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}[assistant]<think></think>{% endif %}",
    );
    const segments = promptSegments(render);
    const messages: TemplateMessage[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ];
    expect(renderSegments(segments, messages)).toBe(
      '[SYS]default[/SYS][user]a[assistant]b[user]c[assistant]<think></think>',
    );
  });

  it('have no system message where the template leaves the system text to the first question', () => {
    const render = renderOf(
      "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('none') }}{% endif %}" +
        "<{{ m['role'] }}>{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}<model>{% endif %}",
    );
    expect(promptSegments(render).startToSystem).not.toBeNull();
    expect(renderSegments(promptSegments(render), [{ role: 'user', content: 'x' }])).toBe('<user>x<model>');
  });

  it.each([
    ['numbers its turns', "{% for m in messages %}{{ loop.index }}:{{ m['content'] }}\n{% endfor %}A:"],
    [
      'shortens what lies far back',
      "{% for m in messages %}{% if loop.length - loop.index < 4 %}[{{ m['role'] }}]{{ m['content'] }}{% endif %}{% endfor %}A:",
    ],
    ['changes a text', "{% for m in messages %}{{ m['content'] | upper }}\n{% endfor %}A:"],
  ])('are refused where the template %s', (_, source) => {
    expect(() => promptSegments(renderOf(source))).toThrow(/Ollama/);
  });
});

describe('the template of a Modelfile', () => {
  it('writes each text as a string of Go, and leaves to the runtime what it adds itself', () => {
    const text = ollamaTemplate(promptSegments(renderOf(CHATML)), '<s>');
    expect(text).not.toContain('<s>');
    expect(text).toContain('{{ "<|im_start|>user\\n" }}');
    expect(text).toContain('{{ "<|im_end|>\\n<|im_start|>assistant\\n" }}');
  });

  it('stands in a Modelfile with every stop token', () => {
    expect(
      modelfile({
        from: './base.gguf',
        adapter: './adapter.gguf',
        template: 'T',
        stops: ['<|im_end|>', '"q"'],
        system: 'Be kind.',
      }),
    ).toBe(
      'FROM ./base.gguf\nADAPTER ./adapter.gguf\nTEMPLATE """T"""\nPARAMETER stop "<|im_end|>"\n' +
        'PARAMETER stop "\\"q\\""\nSYSTEM """Be kind."""\n',
    );
  });

  it('refuses a text that a Modelfile cannot hold', () => {
    const options = { from: 'a', template: 'T', stops: [] };
    expect(() => modelfile({ ...options, system: 'say """' })).toThrow(/system prompt/);
    expect(() => modelfile({ ...options, system: 'say "x"' })).toThrow(/ends in a quote/);
  });
});
