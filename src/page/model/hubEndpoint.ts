/** Another hub than huggingface.co, where the page's address names one: `?hub=https://…`. */
export function hubEndpoint(): string | undefined {
  return new URL(location.href).searchParams.get('hub') ?? undefined;
}
