/** The browser in words, such as "Chrome 156, macOS", from client hints where there are any. */

interface ClientHints {
  brands: readonly { brand: string; version: string }[];
  platform: string;
}

/** @returns the user agent's own text where the browser gives no hints */
export function browserName(navigator: { userAgent: string; userAgentData?: ClientHints }): string {
  const hints = navigator.userAgentData;
  if (!hints) return navigator.userAgent;
  // One brand is made up, so that pages do not rely on the list; Chromium is named beside its product.
  const real = hints.brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z]/gi, ' ')));
  const product = real.find(({ brand }) => brand !== 'Chromium') ?? real[0];
  return product ? `${product.brand} ${product.version}, ${hints.platform}` : navigator.userAgent;
}
