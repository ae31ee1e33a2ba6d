/** Starts isa-child.ts on one table and instruction set, and collects what it sends. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { CaseMessage } from './isa-child';
import type { TableName } from './tables';

const registerTypescript = join(__dirname, '..', 'child', 'register-typescript.cjs');

export function runIsa(isa: string, table: TableName): Promise<CaseMessage[]> {
  return new Promise((resolve, reject) => {
    const messages: CaseMessage[] = [];
    const child = fork(join(__dirname, 'isa-child.ts'), [table], {
      execArgv: ['-r', registerTypescript],
      env: { ...process.env, INFCL_ISA: isa },
      serialization: 'advanced', // typed arrays arrive as they are
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr!.on('data', (text) => {
      errors += text;
    });
    child.on('message', (message) => messages.push(message as CaseMessage));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(messages);
      else reject(new Error(`${isa} child ended with ${code ?? signal}\n${errors}`));
    });
  });
}
