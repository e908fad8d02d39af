/** Folders that hold a Vulkan loader and SwiftShader beside a browser. */
export function softwareFolders(): string[];
/** Whether Dawn finds an adapter in this environment, with every one of these features. */
export function findsAdapter(env: NodeJS.ProcessEnv, features?: readonly string[]): boolean;
/** The variables to run with, or null where there is no adapter at all. */
export function gpuEnvironment(): NodeJS.ProcessEnv | null;
