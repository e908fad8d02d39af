/**
 * A run report as one page of HTML that needs nothing beside it. It is made of the Markdown that report.ts
 * writes, and of no more than that: headings, paragraphs, lists, tables, fenced blocks, code and our own
 * pictures. Every text of a person's files is escaped, and the page's policy allows no script and no request.
 */
import { inHtml } from './escape.ts';

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Run report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem }
body { margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid #ccc; padding: .25rem .5rem; text-align: left; vertical-align: top }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto }
img { max-width: 100% }
</style>
`;

/** @param markdown of writeReport */
export function reportHtml(markdown: string): string {
  const lines = markdown.split('\n');
  const out: string[] = [];
  let at = 0;
  /** Takes lines as long as they match. */
  const takeWhile = (pattern: RegExp): string[] => {
    const from = at;
    while (at < lines.length && pattern.test(lines[at])) at++;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    const [, marks, heading] = /^(#{1,6}) (.*)$/.exec(line) ?? [];
    const [fence] = /^`{3,}/.exec(line) ?? [];
    if (heading !== undefined) {
      out.push(`<h${marks.length}>${inline(heading)}</h${marks.length}>`);
      at++;
    } else if (fence !== undefined) {
      const end = lines.findIndex((other, i) => i > at && other === fence);
      const body = lines.slice(at + 1, end < 0 ? lines.length : end);
      out.push(`<pre>${inHtml(body.join('\n'))}</pre>`);
      at = end < 0 ? lines.length : end + 1;
    } else if (line.startsWith('|')) out.push(table(takeWhile(/^\|/)));
    else if (line.startsWith('- '))
      out.push(
        `<ul>${takeWhile(/^- /)
          .map((item) => `<li>${inline(item.slice(2))}</li>`)
          .join('')}</ul>`,
      );
    else if (line.trim() === '') at++;
    else out.push(`<p>${inline(takeWhile(/^(?!#{1,6} |`{3}|\||- )./).join(' '))}</p>`);
  }
  return `${HEAD}${out.join('\n')}\n`;
}

/** The first row heads the columns, the second is a line. */
function table(rows: readonly string[]): string {
  const cells = rows.map((row) => row.slice(1, row.endsWith('|') ? -1 : undefined).split(/(?<!\\)\|/));
  const [head, , ...body] = cells;
  const row = (values: readonly string[], tag: string) =>
    `<tr>${values.map((value) => `<${tag}>${inline(value.trim())}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${row(head, 'th')}</thead><tbody>${body.map((values) => row(values, 'td')).join('')}</tbody></table>`;
}

/** Pictures that report.ts drew, code, line breaks of answers; all else is text. */
function inline(text: string): string {
  return text
    .split(/(!\[[^\]]*\]\(data:image\/svg\+xml,[^)]*\)|`[^`]*`|<br>)/)
    .map((part) => {
      const [, alt, source] = /^!\[([^\]]*)\]\((data:image\/svg\+xml,[^)]*)\)$/.exec(part) ?? [];
      if (source !== undefined) return `<img alt="${inHtml(alt)}" src="${inHtml(source)}">`;
      if (part === '<br>') return part;
      if (/^`[^`]*`$/.test(part)) return `<code>${inHtml(part.slice(1, -1))}</code>`;
      return inHtml(plain(part));
    })
    .join('');
}

/** Without Markdown's escapes and the character references that report.ts writes. */
function plain(text: string): string {
  return text
    .replace(/\\([\\`*_[\]|~#!])/g, '$1')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}
