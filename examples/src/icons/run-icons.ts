/**
 * The icon demo from packages to report and page. What can be wrong with flags and folders is found first. Refuses
 * to compute anything itself: every phase is a module of its own.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endOf } from '../end-of-run.js';
import { CheckpointError } from '../errors.js';
import { listenForInterrupt } from '../interrupt.js';
import { renderIconReport } from '../report/icon-report.js';
import { writeAtomically } from '../saved/atomic-file.js';
import { prepareFolder } from '../saved/output-folder.js';
import { startJax } from '../train/jax-side.js';
import type { IconFlags } from './cli.js';
import { textColumns } from './client/text-tokens.js';
import type { Collection } from './data/collection.js';
import { ensureInstalled, iconsHome } from './data/install.js';
import { loadCollection } from './data/load.js';
import { heldOutSet, ownCollection, ownSet, picturesIn } from './data/own-pictures.js';
import { gallerySets } from './data/sets.js';
import { sharpDraw } from './data/sharp.js';
import { type IconRun, timedPhase } from './icon-run.js';
import { judgeAfter, judgeBefore, resultsOf } from './measure-icons.js';
import { buildPage } from './page/build-page.js';
import { prepare } from './prepare.js';
import { iconSettings, trainingSets } from './settings.js';
import { endOfSweep, runSweep, sweepFile } from './sweep/run-sweep.js';
import { checkpointBytes } from './train/icon-model.js';
import { trainIcons } from './train/icon-training.js';
import { judgeIcons } from './verdict.js';

const checkpointName = 'checkpoint.bin';
const outputNames = [checkpointName, sweepFile, 'icons.html', 'report.json', 'report.html'];

/** Resolves to the exit code. Rejects with a DemoError for what its user can mend, with Interrupted after Ctrl-C. */
export async function runIcons(flags: IconFlags): Promise<number> {
  checkFiles(flags);
  const home = iconsHome();
  const seconds: IconRun['seconds'] = [];
  await ensureInstalled(home);
  const collection = await timedPhase(seconds, 'icons', () => load(flags, home));
  if (flags.data !== undefined) flags.unseen = heldOutSet;
  const settings = iconSettings(flags, collection.train.length);
  const prepared = await timedPhase(seconds, 'features', () => prepare(collection, settings.shifts));
  const count = (value: number) => value.toLocaleString('en');
  console.log(
    `${count(collection.train.length)} icons to train on, ${count(collection.captions.length)} captions; ` +
      `${count(collection.unseen.length)} icons of ${flags.unseen} that training never sees`,
  );
  await startJax();
  // until here there is nothing to save, and Ctrl-C ends the process by itself
  const { signal, stopListening } = listenForInterrupt();
  const run: IconRun = {
    flags,
    settings,
    prepared,
    signal,
    seconds,
    judged: [],
    history: { steps: [], curve: [] },
  };
  try {
    return flags.sweep ? await runSweep(run) : await runPhases(run);
  } catch (error) {
    throw flags.sweep ? endOfSweep(run, error) : endOf(run, error);
  } finally {
    stopListening();
  }
}

function load({ data, seed, ...flags }: IconFlags, home: string): Promise<Collection> {
  if (data !== undefined) return ownCollection(data, seed, sharpDraw(home));
  return loadCollection(home, trainingSets(flags), flags.unseen);
}

function checkFiles({ out, resume, data }: IconFlags): void {
  if (data !== undefined) picturesIn(data);
  const checkpoint = join(out, checkpointName);
  if (resume && !existsSync(checkpoint)) {
    throw new CheckpointError(
      `Expected a checkpoint in ${checkpoint} for --resume but there is none: start without --resume`,
    );
  }
  prepareFolder(out, outputNames, checkpointBytes(textColumns));
}

async function runPhases(run: IconRun): Promise<number> {
  const { flags, prepared, signal, seconds } = run;
  await judgeBefore(run);
  const model = await timedPhase(seconds, 'training', () =>
    trainIcons(run, join(flags.out, checkpointName), () => writeReport(run, true)),
  );
  try {
    const unseen = await judgeAfter(run, model);
    if (unseen !== undefined) {
      const shown = flags.data === undefined ? gallerySets : [ownSet];
      const { collection, task, centring, texts } = prepared;
      const built = await timedPhase(seconds, 'page', () =>
        buildPage({ collection, task, model, centring, captionTexts: texts, unseen, shown, signal }),
      );
      run.judged.push({ name: 'Trained, as the page has it', kind: 'page', scores: built.scores });
      run.page = { icons: built.icons, bytes: Buffer.byteLength(built.html) };
      writeAtomically(join(flags.out, 'icons.html'), [built.html]);
    }
  } finally {
    model.dispose();
  }
  writeReport(run, false);
  console.log(`Report: ${join(flags.out, 'report.html')}`);
  if (run.page !== undefined) console.log(`Page:   ${join(flags.out, 'icons.html')}`);
  const { failed, lines } = judgeIcons(resultsOf(run, false));
  for (const line of lines) (failed ? console.error : console.log)(line);
  return failed ? 1 : 0;
}

function writeReport(run: IconRun, running: boolean): void {
  const results = resultsOf(run, running);
  const { out } = run.flags;
  writeAtomically(join(out, 'report.json'), [`${JSON.stringify(results, null, 2)}\n`]);
  writeAtomically(join(out, 'report.html'), [renderIconReport(results)]);
}
