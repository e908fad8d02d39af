/**
 * Texts and conversations on which tokenizers are compared: each has what some way of splitting gets wrong.
 */
import type { ChatMessage } from '../../data/template/chatTemplate.ts';

/** Composed characters only: llama.cpp does not compose them. */
export const TEXTS: readonly string[] = [
  'The quick brown fox jumps over the lazy dog.',
  "I'M sure they'LL say he's, we've, don't and I'd; It'S OK",
  '1 12 123 1234 12345 123456 1,234.56 3.14159e-10 2024-07-26 x1y22z333',
  'a  b   c    d\te\t\tf \n g\n\nh\n\n\n  i\r\nj \r\n\r\n k   ',
  '  two spaces ahead, one behind ',
  'def f(x):\n    return {"a": x**2, \'b\': [x, -x]}  # comment\n\n\nif __name__ == "__main__":\n\tprint(f(3))\n',
  'Ünïcode façade naïve Straße ŁÓDŹ İstanbul ﬁne ½ ² Ⅷ',
  '模型の学習は楽しい。こんにちは、世界！ 한국어 문장입니다. 中文標點「」',
  'हिन्दी में लिखा गया ภาษาไทย العربية עברית Ελληνικά Русский',
  '🙂🙃 👩‍👩‍👧‍👦 🇩🇪 ❤️ ✓ → ∑ … – — “quotes” ‘single’',
  'HTTPServer camelCase snake_case kebab-case/path\\back C++ C# $100 50% #tag @user a/b/c',
  '!!! ??? ... --- === *** ~~~ ((())) [[{}]] <<>> ||| &&& \n!!!\n',
  'ABCdef DEFghi éÉ ǅ ʰ ᵃ ª º x\u0301y',
  'zero\u200bwidth\u00a0nbsp\u3000ideographic\u2028line',
];

export const CONVERSATIONS: readonly ChatMessage[][] = [
  [{ role: 'user', content: 'What is 12 + 345?' }],
  [
    { role: 'user', content: ' Leading space and\n\na paragraph' },
    { role: 'assistant', content: "I'm here.\n\n1. One\n2. Two" },
    { role: 'user', content: 'Ünïcode 模型 🙂' },
  ],
  [
    { role: 'system', content: 'You are a helpful and friendly assistant.' },
    { role: 'user', content: 'Write a line of Python.' },
    { role: 'assistant', content: '```python\nprint("hi")\n```' },
    { role: 'user', content: 'Thanks!' },
    { role: 'assistant', content: 'You are welcome.' },
    { role: 'user', content: 'More   please\t!' },
  ],
];
