/**
 * Shows how many scenes are done: a bar on a terminal, a line for each fifth elsewhere. Refuses to time
 * anything.
 */

import { SingleBar } from 'cli-progress';

export class ScenesDisplay {
  private readonly bar: SingleBar | undefined;

  constructor(
    private readonly what: string,
    private readonly scenes: number,
  ) {
    if (!process.stdout.isTTY) return;
    this.bar = new SingleBar({ format: `  ${what} |{bar}| {value}/{total} scenes`, hideCursor: true });
    this.bar.start(scenes, 0);
  }

  show = (done: number): void => {
    this.bar?.update(done);
    const fifth = Math.max(1, Math.round(this.scenes / 5));
    if (this.bar === undefined && (done % fifth === 0 || done === this.scenes))
      console.log(`  ${this.what} ${done}/${this.scenes} scenes`);
  };

  stop(): void {
    this.bar?.stop();
  }
}
