/** Whether a text names a model on the Hugging Face Hub: "owner/name". */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(text);
}
