/**
 * npm run bench:page: writes all committed results as one HTML file with charts. --out names the file, --root another
 * copy of the project's results, for tests.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { renderPage } from './page-html.js';
import { commitOfFile } from './provenance.js';
import { readResults } from './results.js';
import { projectFolder } from './toolchain.js';

const help = `npm run bench:page -- [--out <file.html>]

  --out   default bench-output/index.html`;

function main(): void {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, root: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  // npm starts this program in the folder of the workspace, and the user typed paths elsewhere
  const typedIn = process.env.INIT_CWD ?? process.cwd();
  const results = readResults(values.root ? resolve(typedIn, values.root) : projectFolder);
  const file = values.out ? resolve(typedIn, values.out) : resolve(projectFolder, 'bench-output/index.html');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, renderPage(results, commitOfFile));
  console.log(`written: ${file}, ${results.length} results`);
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
