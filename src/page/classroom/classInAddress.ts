/** The address of a class: `?class=CODE`; null: this is no page of a class. */
export function classInAddress(href = location.href): string | null {
  return new URL(href).searchParams.get('class');
}
