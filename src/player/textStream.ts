/** Texts that one side pushes as they come, and another reads with `for await`. */

export class TextStream {
  private readonly waiting: string[] = [];
  private wake: () => void = () => undefined;
  private outcome: { error?: unknown } | null = null;

  push(text: string): void {
    if (text !== '') this.waiting.push(text);
    this.wake();
  }

  /** What was pushed is still read. @param error is then thrown at the reader */
  end(error?: unknown): void {
    this.outcome = error === undefined ? {} : { error };
    this.wake();
  }

  async *read(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      for (let text = this.waiting.shift(); text !== undefined; text = this.waiting.shift()) yield text;
      if (this.outcome) {
        if ('error' in this.outcome) throw this.outcome.error;
        return;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
