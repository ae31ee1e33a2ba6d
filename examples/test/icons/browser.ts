/**
 * A headless Chromium for tests of pages, driven over a pipe by the DevTools protocol, with no package between.
 * Refuses to reach the network: every request but that of the file itself fails the test that asked for it.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The program, or undefined where this machine has none. */
export function findChromium(): string | undefined {
  for (const name of [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']) {
    try {
      if (name) return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {}
  }
  return undefined;
}

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export class Browser {
  /** What went wrong in the page since {@link open}: errors of scripts, refusals of its policy, requests. */
  readonly complaints: string[] = [];
  private session: string | undefined;
  private next = 1;
  private buffer = '';
  private readonly waiting = new Map<number, (message: Message) => void>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
  ) {
    const output = process.stdio[4] as Readable;
    output.setEncoding('utf8');
    output.on('data', (text: string) => this.receive(text));
  }

  static async start(program: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'infcl-chromium-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const quiet = ['--disable-background-networking', '--no-first-run', '--remote-debugging-pipe'];
    const child = spawn(program, [...flags, ...quiet, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true, // the head of a group, so that `close` ends the browser's own processes too
    });
    const browser = new Browser(child, profile);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    return browser;
  }

  /** Loads a file at a size of the window, and waits until the page says that it is ready. */
  async open(url: string, { width = 1200, height = 900, dark = false } = {}, ready = 'true'): Promise<void> {
    this.complaints.length = 0;
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
    await this.send('Emulation.setEmulatedMedia', { features });
    await this.send('Page.navigate', { url });
    await this.until(ready);
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Waits for an expression to be true. */
  async until(expression: string): Promise<void> {
    const end = performance.now() + 60_000;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false))) {
      if (performance.now() > end)
        throw new Error(`never true: ${expression}; ${this.complaints.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** Text as a person types or pastes it into the focused field. */
  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  /** One key, down and up. */
  async press(key: string): Promise<void> {
    const codes: Record<string, number> = {
      Enter: 13,
      Escape: 27,
      Tab: 9,
      ArrowLeft: 37,
      ArrowUp: 38,
      ArrowRight: 39,
      ArrowDown: 40,
    };
    const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined;
    const event = { key, code: key, windowsVirtualKeyCode: codes[key] ?? key.charCodeAt(0), text };
    await this.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...event });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event, text: undefined });
  }

  /** A click in the middle of an element. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.evaluate<[number, number]>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: 'center' });
        const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`,
    );
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    process.kill(-this.process.pid!, 'SIGKILL');
    await ended;
    // they may still write for a moment
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20 });
  }

  private send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.next++;
    const message = { id, method, params, ...(this.session && { sessionId: this.session }) };
    (this.process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result = {}, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
  }

  private receive(text: string): void {
    const parts = (this.buffer + text).split('\0');
    this.buffer = parts.pop()!;
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      if (message.id !== undefined) this.waiting.get(message.id)?.(message);
      else this.hear(message);
    }
  }

  private hear({ method, params = {} }: Message): void {
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') this.complaints.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent') {
      const { url } = params.request as { url: string };
      if (!/^(file|data):/.test(url)) this.complaints.push(`request to ${url}`);
    }
  }
}
