/**
 * What the demo prints while it runs: a progress bar on a terminal, a line now and then elsewhere. Refuses to decide
 * anything.
 */

import { Presets, SingleBar } from 'cli-progress';
import type { StepProgress } from 'infcl';
import type { StepRecord } from './train/loop.js';

/** Where in a step a phase lies, for a bar that moves within steps. */
const phaseStart = { encode: 0, loss: 0.2, backward: 0.6 };
const phaseShare = { encode: 0.2, loss: 0.4, backward: 0.4 };

export class TrainingDisplay {
  private readonly bar: SingleBar | undefined;
  private done: number;
  private shown = { loss: '–', accuracy: '–', scale: '–', step: 0 };
  private readonly began = performance.now();

  constructor(
    private readonly steps: number,
    done: number,
  ) {
    this.done = done;
    // the bar is drawn on stderr, which launchers of MPI give no terminal
    if (!process.stdout.isTTY || !process.stderr.isTTY) return;
    this.bar = new SingleBar(
      {
        format:
          '  {phase} |{bar}| step {step}/{total} · loss {loss} · in-batch accuracy {accuracy} · scale {scale} · {elapsed} s',
        hideCursor: true,
        barsize: 24,
        linewrap: false,
      },
      Presets.shades_classic,
    );
    this.bar.start(steps, done, { phase: 'encode  ', elapsed: 0, ...this.shown });
  }

  progress(progress: StepProgress): void {
    const { phase, tower, fraction = 0 } = progress;
    const half = tower === undefined ? fraction : (fraction + (tower === 'keys' ? 1 : 0)) / 2;
    this.show(phase.padEnd(8), this.done + phaseStart[phase] + phaseShare[phase] * half);
  }

  step(record: StepRecord): void {
    this.done = record.step;
    this.shown = {
      loss: record.loss.toFixed(3),
      accuracy: `${(100 * record.accuracy).toFixed(1)} %`,
      scale: record.scale.toFixed(1),
      step: record.step,
    };
    this.show('step    ', this.done);
    const everyTenth = Math.max(1, Math.round(this.steps / 10));
    if (this.bar === undefined && (record.step % everyTenth === 0 || record.step === this.steps)) {
      const { loss, accuracy, scale } = this.shown;
      const seconds = record.seconds.toFixed(1);
      console.log(
        `  step ${record.step}/${this.steps} · loss ${loss} · in-batch accuracy ${accuracy} · scale ${scale} · ${seconds} s a step`,
      );
    }
  }

  stop(): void {
    this.bar?.stop();
  }

  private show(phase: string, position: number): void {
    const elapsed = ((performance.now() - this.began) / 1000).toFixed(0);
    this.bar?.update(position, { phase, elapsed, ...this.shown });
  }
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
