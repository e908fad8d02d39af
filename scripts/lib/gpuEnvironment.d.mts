/** The variables with which Dawn finds an adapter in Node, or null where there is none. */
export function gpuEnvironment(): NodeJS.ProcessEnv | null;
