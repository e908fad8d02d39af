/** Names and texts that people, files or drivers gave, escaped for the form they stand in. */

/**
 * Plain text within a line of Markdown, also in a table's cell: no markup, link, image or HTML is made of it.
 */
export function inMarkdown(text: string): string {
  return (
    text
      // White space that ends a line, and what is not printed.
      .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
      .replace(/[\\`*[\]|~!]/g, '\\$&')
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
      .replace(/^\s*(#|[-+](?= )|=|\d+(?=[.)] ))/, '\\$1')
      .replace(/[&<>]/g, entity)
      // GitHub makes links of addresses by itself.
      .replace(/:(?=\/\/)|@|(?<=www)\./gi, entity)
  );
}

/** A scalar of YAML: as it is where that is plain, else in double quotation marks. */
export function inYaml(text: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}

/** A literal of Python: JSON's texts are Python's as well. */
export function inPython(text: string): string {
  return JSON.stringify(text);
}

/** Text or an attribute of HTML, XML or SVG. */
export function inHtml(text: string): string {
  return text.replace(/[&<>"']/g, entity);
}

function entity(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}
