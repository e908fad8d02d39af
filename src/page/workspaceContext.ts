/** The workspace for components too deep to be handed it. */
import { getContext, setContext } from 'svelte';
import type { Workspace } from './Workspace.svelte.ts';

const KEY = Symbol('workspace');

export function provideWorkspace(workspace: Workspace): Workspace {
  return setContext(KEY, workspace);
}

export function useWorkspace(): Workspace {
  return getContext<Workspace>(KEY);
}
