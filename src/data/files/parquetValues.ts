/**
 * Values of a Parquet file as Python has them: doubles stay floats where they are whole, 64-bit integers are
 * numbers, and what is not there is null.
 */
import type { SchemaElement } from 'hyparquet';
import { WholeFloat } from './exactJson.ts';

type ValueReader = (value: unknown) => unknown;

interface SchemaNode {
  element: SchemaElement;
  children: SchemaNode[];
}

/** @param schema as the file lists it: every element before its children, the root first */
export function parquetRowReader(schema: readonly SchemaElement[]): ValueReader {
  return structReader(treeOf(schema));
}

function treeOf(schema: readonly SchemaElement[]): SchemaNode {
  let at = 0;
  const next = (): SchemaNode => {
    const element = schema[at++]!; // The bounds of the file were checked: there are as many as are counted.
    return { element, children: Array.from({ length: element.num_children ?? 0 }, next) };
  };
  return next();
}

function readerOf(node: SchemaNode): ValueReader {
  const { element } = node;
  if (element.repetition_type === 'REPEATED') return listReader(contentReader(node));
  return contentReader(node);
}

/** Of one value of a node, whatever it is repeated. */
function contentReader({ element, children }: SchemaNode): ValueReader {
  const [only] = children;
  if (!only) return leafReader(element);
  const kind = element.logical_type?.type ?? element.converted_type;
  if (kind === 'LIST') return listReader(elementReader(only));
  if (kind === 'MAP' || element.converted_type === 'MAP_KEY_VALUE') {
    const value = only.children[1];
    return value ? mapReader(readerOf(value)) : plain;
  }
  return structReader({ element, children });
}

/** Of the repeated node below a list: its only child is the element, or it is the element itself. */
function elementReader(repeated: SchemaNode): ValueReader {
  const [only, ...others] = repeated.children;
  const wraps = only && others.length === 0 && !['array', 'element_tuple'].includes(repeated.element.name);
  return wraps ? readerOf(only) : contentReader(repeated);
}

function leafReader({ type, converted_type, logical_type }: SchemaElement): ValueReader {
  const isFloat = (type === 'DOUBLE' || type === 'FLOAT') && !converted_type && !logical_type;
  return isFloat
    ? (value) => (typeof value === 'number' && Number.isInteger(value) ? new WholeFloat(value) : plain(value))
    : plain;
}

function listReader(read: ValueReader): ValueReader {
  return (value) => (Array.isArray(value) ? value.map(read) : plain(value));
}

function mapReader(read: ValueReader): ValueReader {
  return (value) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner)]))
      : plain(value);
}

function structReader({ children }: SchemaNode): ValueReader {
  const fields = children.map((child) => [child.element.name, readerOf(child)] as const);
  return (value) =>
    isObject(value)
      ? Object.fromEntries(fields.map(([name, read]) => [name, read(value[name])]))
      : plain(value);
}

/** JSON has no other integers than numbers: digits beyond 2^53 are lost, as there. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  return value ?? null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
