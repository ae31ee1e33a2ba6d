/**
 * The files for public hosting, which nobody runs before a maintainer switches them on: they are YAML, every action is
 * pinned, and every command of this project that a step runs exists. No machine of the host has run a workflow yet.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { safeLoad } = require('js-yaml') as { safeLoad(text: string): unknown };

const root = join(__dirname, '..', '..');
const folder = join(root, '.github');
const { scripts, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  steps: Step[];
  needs?: string | string[];
  permissions?: Record<string, string>;
  'runs-on': string;
  'timeout-minutes': number;
  strategy?: { matrix: { include?: Record<string, string>[] } & Record<string, unknown> };
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const textOf = (...names: string[]) => readFileSync(join(folder, ...names), 'utf8');
const workflowFiles = readdirSync(join(folder, 'workflows'));
const readWorkflow = (name: string) => safeLoad(textOf('workflows', name)) as Workflow;
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps);

/** What is wrong with the commands of a step: scripts and files of the project that do not exist. */
function complaints(run: string): string[] {
  // "$ALPINE node ..." is a command in the folder of the project too
  const commands = run.split('\n').map((line) => line.trim().replace(/^\$ALPINE /, ''));
  return commands.flatMap((command) => {
    const [program, word = '', name = ''] = command.split(/\s+/);
    if (program === 'npm' && word === 'run') return scripts[name] ? [] : [`no script ${name}`];
    if (program === 'npm' && word === 'test') return scripts.test ? [] : ['no script test'];
    const files =
      program === 'node'
        ? [word]
        : program === 'npx' && word === 'jest'
          ? command.split(/\s+/).slice(2)
          : program!.startsWith('.')
            ? [program!]
            : [];
    if (program === 'npx' && word === 'infcl' && !bin.infcl) return ['no command infcl'];
    return files.filter((file) => !existsSync(join(root, file))).map((file) => `no file ${file}`);
  });
}

it('knows a command that does not exist', () => {
  expect(complaints('npm run build:ts\nnode bin/infcl.js doctor\n.ci/run\nnpx jest test/goldens')).toEqual(
    [],
  );
  expect(complaints('npm run biuld')).toEqual(['no script biuld']);
  expect(complaints('$ALPINE node bin/infcl.mjs')).toEqual(['no file bin/infcl.mjs']);
  expect(complaints('.ci/gate')).toEqual(['no file .ci/gate']);
  expect(complaints('npx jest test/goldens test/gold')).toEqual(['no file test/gold']);
});

it('there is a workflow for a change and one for a release', () => {
  expect(workflowFiles.sort()).toEqual(['ci.yml', 'release.yml']);
});

describe.each(workflowFiles)('%s', (name) => {
  const workflow = readWorkflow(name);

  it('runs commands that exist', () => {
    const runs = stepsOf(workflow).flatMap(({ run }) => run ?? []);
    expect(runs.length).toBeGreaterThan(3);
    expect(runs.flatMap(complaints)).toEqual([]);
  });

  it('pins every action by a commit, and names the tag of this commit', () => {
    const used = textOf('workflows', name).match(/uses: .*/g)!;
    expect(used).toHaveLength(stepsOf(workflow).filter(({ uses }) => uses).length);
    for (const line of used) expect(line).toMatch(/^uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may read only, keeps no credentials of git, and ends in time', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const { uses, with: given } of stepsOf(workflow)) {
      if (uses?.startsWith('actions/checkout@'))
        expect(given).toMatchObject({ 'persist-credentials': false });
    }
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeLessThanOrEqual(120);
  });

  it('waits for a maintainer, and says how to switch it on', () => {
    expect(workflow.on).not.toHaveProperty('pull_request');
    expect((workflow.on.push ?? { tags: [] }) as object).toEqual({ tags: expect.anything() });
    expect(textOf('workflows', name)).toMatch(/^# .*Not switched on yet/m);
  });

  it('waits for jobs that exist', () => {
    const names = Object.keys(workflow.jobs);
    const needed = Object.values(workflow.jobs).flatMap(({ needs = [] }) => needs);
    expect(needed.filter((need) => !names.includes(need))).toEqual([]);
  });

  it('an action is one commit in all steps', () => {
    const pins = workflowFiles.flatMap((file) =>
      stepsOf(readWorkflow(file)).flatMap(({ uses }) => uses ?? []),
    );
    const actions = new Set(pins.map((pin) => pin.split('@')[0]));
    expect(new Set(pins).size).toBe(actions.size);
  });
});

describe('the release', () => {
  const { jobs } = readWorkflow('release.yml');

  it('runs every binary that the project builds', () => {
    const targets = readFileSync(join(root, 'scripts', 'binaries', 'targets.mjs'), 'utf8')
      .match(/'(linux|win32|darwin)-[\w-]+'/g)!
      .map((quoted) => quoted.slice(1, -1));
    expect(targets.length).toBeGreaterThan(5);
    const native = jobs['run-binaries']!.strategy!.matrix.include!.map(({ target }) => target);
    const alpine = jobs['run-binaries-on-alpine']!.strategy!.matrix.include!.map(
      ({ arch }) => `linux-${arch}-musl`,
    );
    expect([...native, ...alpine].sort()).toEqual([...new Set(targets)].sort());
  });

  it('lets one job alone speak for the project, and only for a tag that a maintainer allowed', () => {
    const speakers = Object.entries(jobs).filter(([, { permissions }]) => permissions?.['id-token']);
    expect(speakers.map(([name]) => name)).toEqual(['publish']);
    const { publish } = jobs as unknown as Record<string, { if: string; environment: string }>;
    expect(publish!.if).toBe("github.event_name == 'push' && vars.PUBLISH == 'yes'");
    expect(publish!.environment).toBe('npm');
    const run = jobs.publish!.steps.map((step) => step.run).join('\n');
    expect(run).toContain('npm publish ./*.tgz --provenance');
    expect(textOf('workflows', 'release.yml')).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN/);
  });

  it('publishes after all tests', () => {
    const before = (name: string): string[] => {
      const needs = [jobs[name]!.needs ?? []].flat();
      return [...needs, ...needs.flatMap(before)];
    };
    const others = Object.keys(jobs).filter((name) => !['publish', 'smoke'].includes(name));
    expect([...new Set(before('publish'))].sort()).toEqual(others.sort());
  });
});

describe('issue templates', () => {
  interface Field {
    type: string;
    id?: string;
    attributes: { label?: string; value?: string; description?: string };
    validations?: { required?: boolean };
  }
  const names = readdirSync(join(folder, 'ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml');
  const read = (name: string) =>
    safeLoad(textOf('ISSUE_TEMPLATE', name)) as { name: string; description: string; body: Field[] };

  it('are for a bug, a feature and a question', () => {
    expect(names.sort()).toEqual(['bug.yml', 'feature.yml', 'question.yml']);
    expect(safeLoad(textOf('ISSUE_TEMPLATE', 'config.yml'))).toEqual({ blank_issues_enabled: false });
  });

  it.each(names)('%s has a name, and fields with labels and ids', (name) => {
    const { name: title, description, body } = read(name);
    expect([title, description].every((text) => text.length > 5)).toBe(true);
    const fields = body.filter(({ type }) => type !== 'markdown');
    for (const { type, id, attributes } of fields) {
      expect(['textarea', 'input']).toContain(type);
      expect([id, attributes.label]).toEqual([expect.stringMatching(/^\w+$/), expect.any(String)]);
    }
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
    expect(fields.some(({ validations }) => validations?.required)).toBe(true);
  });

  it('a bug report begins with the output of the doctor, and says what the output shows', () => {
    const doctor = read('bug.yml').body.find(({ id }) => id === 'doctor')!;
    expect(doctor.validations).toEqual({ required: true });
    for (const word of ['kernel', 'path of the\naddon', 'environment variables', 'sends nothing'])
      expect(doctor.attributes.description).toContain(word);
  });
});
