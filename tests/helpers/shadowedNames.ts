/**
 * Names that a WGSL module declares again where an outer declaration of the same name is in scope. WGSL
 * allows it, and so `#repeat` can write over a name that the lines after it mean: `let t$t` declares t0.
 * @param code after the preprocessor
 */
export function shadowedNames(code: string): string[] {
  const text = code.replaceAll(/\/\/.*$/gm, '');
  const ofModule = new Set<string>();
  // A function's parameters and a loop's variable are in scope up to the end of the block that follows.
  const scopes = [{ names: ofModule, endsWithBlock: false }];
  const shadowed: string[] = [];
  const declare = (name: string) => {
    const scope = scopes.at(-1)!;
    if (scopes.some(({ names }) => names.has(name))) shadowed.push(name);
    scope.names.add(name);
  };
  const tokens =
    /[{}]|\bfn\s+(\w+)([^{]*)|\bstruct\s+(\w+)\s*\{[^}]*\}|\bfor\s*\(|\b(?:let|const|override|alias|var(?:<[^>]*>)?)\s+(\w+)/g;
  for (const [token, fn, signature, struct, name] of text.matchAll(tokens)) {
    if (token === '{') scopes.push({ names: new Set(), endsWithBlock: false });
    else if (token === '}') {
      scopes.pop();
      if (scopes.at(-1)?.endsWithBlock) scopes.pop();
    } else if (fn) {
      declare(fn);
      scopes.push({ names: new Set(), endsWithBlock: true });
      for (const [, parameter] of signature.matchAll(/(\w+)\s*:/g)) declare(parameter);
    } else if (token.startsWith('for')) scopes.push({ names: new Set(), endsWithBlock: true });
    else declare(struct ?? name);
  }
  return shadowed;
}
