/** A table as CSV, as RFC 4180 has it, with line feeds. */

type Cell = string | number | null | undefined;

/** Absent cells are empty. Cells that hold quotes, commas or ends of lines are quoted. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((cells) => `${cells.map(cellText).join(',')}\n`).join('');
}

function cellText(cell: Cell): string {
  const text = `${cell ?? ''}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
