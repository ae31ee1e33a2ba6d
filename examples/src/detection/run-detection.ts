/**
 * The detection demo from packages to report and page. What can be wrong with flags and folders is found
 * first. Refuses to compute anything itself: every phase is a module of its own.
 */

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endOf } from '../end-of-run.js';
import { CheckpointError } from '../errors.js';
import { textColumns } from '../icons/client/text-tokens.js';
import { ensureInstalled } from '../icons/data/install.js';
import { timedPhase } from '../icons/icon-run.js';
import { listenForInterrupt } from '../interrupt.js';
import { renderDetectionReport } from '../report/detection-report.js';
import { writeAtomically } from '../saved/atomic-file.js';
import { prepareFolder } from '../saved/output-folder.js';
import { startJax } from '../train/jax-side.js';
import type { DetectionFlags } from './cli.js';
import { detectionHome, emojiPackages, loadEmoji } from './data/load.js';
import { encodeWebp } from './data/webp.js';
import type { DetectionRun } from './detection-run.js';
import { conceptTexts } from './features/concept-texts.js';
import { judgeTrained, measureShape, noticesOf, resultsOf } from './measure-detection.js';
import { buildPage } from './page/build-page.js';
import { prepareRegions } from './prepare.js';
import { detectionSettings } from './settings.js';
import { checkpointBytes, RegionModel } from './train/region-model.js';
import { firstCheckpoint, hardCheckpoint, trainDetector } from './train/train-detector.js';
import { judgeDetection } from './verdict.js';

const outputNames = [firstCheckpoint, hardCheckpoint, 'detection.html', 'report.json', 'report.html'];

/**
 * Resolves to the exit code. Rejects with a DemoError for what its user can mend, with Interrupted after
 * Ctrl-C.
 */
export async function runDetection(flags: DetectionFlags): Promise<number> {
  checkFiles(flags);
  const home = detectionHome();
  const seconds: DetectionRun['seconds'] = [];
  await ensureInstalled(home, emojiPackages);
  const settings = detectionSettings(flags);
  const emoji = await timedPhase(seconds, 'emoji', () => loadEmoji(home));
  const prepared = await timedPhase(seconds, 'scenes and regions', () => prepareRegions(emoji, settings));
  const count = (value: number) => value.toLocaleString('en');
  console.log(
    `${count(prepared.regions.rows)} regions of ${emoji.concepts.length} concepts to train on; ` +
      `${settings.tests} scenes of ${emoji.unseen.title} that training never sees`,
  );
  await startJax();
  if (!flags.resume) rmSync(join(flags.out, hardCheckpoint), { force: true });
  // until here there is nothing to save, and Ctrl-C ends the process by itself
  const { signal, stopListening } = listenForInterrupt();
  const run: DetectionRun = {
    flags,
    settings,
    emoji,
    ...prepared,
    hardRegions: 0,
    signal,
    seconds,
    judged: [],
    shapes: [],
    history: { steps: [], curve: [] },
    hardSteps: 0,
  };
  try {
    return await runPhases(run, home);
  } catch (error) {
    throw endOf(run, error);
  } finally {
    stopListening();
  }
}

function checkFiles({ out, resume }: DetectionFlags): void {
  const checkpoint = join(out, firstCheckpoint);
  if (resume && !existsSync(checkpoint)) {
    throw new CheckpointError(
      `Expected a checkpoint in ${checkpoint} for --resume but there is none: start without --resume`,
    );
  }
  prepareFolder(out, outputNames, 2 * checkpointBytes(textColumns));
}

async function runPhases(run: DetectionRun, home: string): Promise<number> {
  const { flags, settings, emoji, seconds } = run;
  const untrained = new RegionModel(conceptTexts(emoji.concepts), settings.seed);
  await measureShape(run, untrained, 'Untrained, same weights at step 0');
  const model = await trainDetector(run, untrained, () => writeReport(run, true));
  try {
    if (run.history.diverged === undefined) {
      await measureShape(run, model, 'Trained towers');
      const scenes = await judgeTrained(run, model);
      const built = await timedPhase(seconds, 'page', () =>
        buildPage({
          emoji,
          model: {
            scale: model.scale,
            textWeights: model.text.weights,
            textFeatures: model.textFeatures(),
          },
          scenes,
          notices: noticesOf(run),
          encodePicture: encodeWebp(home),
        }),
      );
      run.page = { scenes: built.scenes, bytes: Buffer.byteLength(built.html) };
      writeAtomically(join(flags.out, 'detection.html'), [built.html]);
    }
  } finally {
    model.dispose();
  }
  writeReport(run, false);
  console.log(`Report: ${join(flags.out, 'report.html')}`);
  if (run.page !== undefined) console.log(`Page:   ${join(flags.out, 'detection.html')}`);
  const { failed, lines } = judgeDetection(resultsOf(run, false));
  for (const line of lines) (failed ? console.error : console.log)(line);
  return failed ? 1 : 0;
}

function writeReport(run: DetectionRun, running: boolean): void {
  const results = resultsOf(run, running);
  const { out } = run.flags;
  writeAtomically(join(out, 'report.json'), [`${JSON.stringify(results, null, 2)}\n`]);
  writeAtomically(join(out, 'report.html'), [renderDetectionReport(results)]);
}
