/**
 * A long-lived child that answers one line of JSON for each line it is sent, and says "ready ..." when it has made
 * its inputs. Every contestant of a duel is one, so that neither pays for starting while it is timed, and each keeps
 * its own thread pool, allocator and environment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Command {
  file: string;
  args: string[];
  /** Merged into this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
}

export class LineProcess {
  private static readonly running = new Set<LineProcess>();

  /** What followed "ready". */
  readonly greeting: string;

  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly errors: () => string,
    greeting: string,
  ) {
    this.greeting = greeting;
    LineProcess.running.add(this);
  }

  static async start({ file, args, env }: Command): Promise<LineProcess> {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    child.stderr.on('data', (data) => {
      text += data;
    });
    child.on('error', (error) => {
      text += error.message;
    });
    child.stdin.on('error', () => {}); // a child that died says why on stderr
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const { value, done } = await lines.next();
    if (done || !value.startsWith('ready')) {
      child.kill();
      await ended;
      throw new Error(`${file} ${args.join(' ')} did not start: ${text.trim() || value}`);
    }
    return new LineProcess(child, lines, () => text.trim(), value.slice('ready'.length).trim());
  }

  /** Sends a request, waits for its answer. */
  async ask<Answer>(request: unknown = {}): Promise<Answer> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnfile} ended: ${this.errors()}`);
    return JSON.parse(value) as Answer;
  }

  /** Ends all children, so that a case that ended early leaves nothing running. */
  static async stopAll(): Promise<void> {
    for (const one of LineProcess.running) await one.stop();
  }

  async stop(): Promise<void> {
    LineProcess.running.delete(this);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin!.end();
    this.child.kill();
    await ended;
  }
}
