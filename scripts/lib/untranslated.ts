/**
 * Finds texts of the page that do not come from the files of its languages (src/page/language): in Svelte's
 * markup by its syntax tree, in scripts by TypeScript's.
 */
import { parse, type AST } from 'svelte/compiler';
import ts from 'typescript';

/** Attributes of elements that a person reads or hears. */
const READ_ATTRIBUTES = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-placeholder',
  'aria-roledescription',
  'aria-valuetext',
  'content',
  'label',
  'placeholder',
  'summary',
  'title',
]);

/** Where the first argument says for the log, which is English, what the page was doing. */
const LOGGING = new Set(['report', 'reported', 'guard']);

/** Names that are the same in every language. */
const NAMES = new Set(['Finetab', 'GiB', 'GGUF', 'PNG', 'SVG', 'CSV', 'hf_…', 'seed', 'temperature']);

/** Keys of recipes and tensors, names of files, one letter. */
const CODE = /^[^\s\p{L}]*(\p{L}|[\w-]*[_.][\w.[-]*)[^\s\p{L}]*$/u;

type Node = { type: string } & Record<string, unknown>;

/** @param path decides whether it is Svelte's @returns the texts, as they stand in the source */
export function untranslatedTexts(path: string, source: string): string[] {
  if (!path.endsWith('.svelte')) return literalSentences(source);
  const { fragment, instance, module } = parse(source, { modern: true });
  const scripts = [instance, module]
    .filter((script) => script !== null && script !== undefined)
    .map(({ content }) => content as unknown as { start: number; end: number })
    .map(({ start, end }) => source.slice(start, end));
  return [...markupTexts(fragment), ...scripts.flatMap(literalSentences)];
}

function isText(text: string): boolean {
  const clean = text.replace(/\s+/g, ' ').replace(/^[\s·]+|\s+$/g, '');
  return /\p{L}/u.test(clean) && !CODE.test(clean) && !NAMES.has(clean);
}

/** Text nodes, read attributes, and literals that an expression in their place may give. */
function markupTexts(fragment: AST.Fragment): string[] {
  const found: string[] = [];
  const take = (text: string) => {
    if (isText(text)) found.push(text.replace(/\s+/g, ' ').trim());
  };
  const visitAttribute = ({ name, value }: AST.Attribute, isComponent: boolean) => {
    const parts = value === true ? [] : Array.isArray(value) ? value : [value];
    if (READ_ATTRIBUTES.has(name))
      for (const part of parts) {
        if (part.type === 'Text') take(part.data);
        else valuesOf(part.expression as unknown as Node).forEach(take);
      }
    // Of a component any property may be shown: a sentence is found by its spaces.
    else if (isComponent)
      for (const part of parts) if (part.type === 'Text' && /\p{L} \p{L}/u.test(part.data)) take(part.data);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== 'object' || value === null) return;
    const node = value as Node;
    if (node.type === 'Text') return take((node as unknown as AST.Text).data);
    if (node.type === 'ExpressionTag') return valuesOf(node.expression as Node).forEach(take);
    if (node.type === 'RenderTag') return argumentsOf(node.expression as Node).forEach(take);
    if (node.name === 'code' || node.name === 'kbd') return;
    for (const attribute of (node.attributes as AST.Attribute[] | undefined) ?? [])
      if (attribute.type === 'Attribute') visitAttribute(attribute, node.type === 'Component');
    for (const [key, child] of Object.entries(node))
      if (!['attributes', 'expression', 'context', 'test', 'parent', 'declaration'].includes(key))
        visit(child);
  };
  visit(fragment);
  return found;
}

/** Literals that an expression may have as its value. */
function valuesOf(node: Node | null | undefined): string[] {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : [];
    case 'TemplateLiteral':
      return [
        ...(node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked),
        ...(node.expressions as Node[]).flatMap(valuesOf),
      ];
    case 'ConditionalExpression':
      return [...valuesOf(node.consequent as Node), ...valuesOf(node.alternate as Node)];
    case 'LogicalExpression':
      return [...valuesOf(node.left as Node), ...valuesOf(node.right as Node)];
    case 'BinaryExpression':
      return node.operator === '+' ? [...valuesOf(node.left as Node), ...valuesOf(node.right as Node)] : [];
    default:
      return [];
  }
}

function argumentsOf(node: Node): string[] {
  const call = node.type === 'ChainExpression' ? (node.expression as Node) : node;
  return ((call.arguments as Node[] | undefined) ?? []).flatMap(valuesOf).filter((text) => / /.test(text));
}

/** String literals of two words and more, but for types, imports and what goes into the log. */
function literalSentences(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
      const isLogging = ts.isIdentifier(name) && LOGGING.has(name.text);
      visit(expression);
      node.arguments.filter((argument) => !isLogging || !isString(argument)).forEach(visit);
      return;
    }
    if (isString(node)) {
      const text = textOf(node);
      // Markup, such as an icon's, is no text.
      if (/\p{L}{2}[,;:.]? \p{L}/u.test(text) && !/^</.test(text)) found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('script.ts', source, ts.ScriptTarget.Latest, true));
  return found;
}

function isString(node: ts.Node): node is ts.StringLiteralLike | ts.TemplateExpression {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** Of a template its fixed parts, with … between them. */
function textOf(node: ts.StringLiteralLike | ts.TemplateExpression): string {
  return ts.isStringLiteralLike(node)
    ? node.text
    : [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…');
}
