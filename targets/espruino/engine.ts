// A Linux build of Espruino, run from Node as a board would be used over its serial port: text goes to its console, lines
// come back. Its flash is a file in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { upload } from './upload.ts';

/** Control characters with which the console redraws its prompt, and the prompt itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const PROMPT = /\x1b\[[0-9;]*[A-Za-z]|[\r\x00-\x09\x0b-\x1f]|^>+/g;

const INSTALLED = '-- installed --';

export class EspruinoEngine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'espruino-'));
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;
  private text = '';
  private line: (line: string) => void = () => {};

  /** @param binary the path of the executable */
  constructor(binary: string) {
    this.process = spawn(resolve(binary), [], { cwd: this.folder, stdio: ['pipe', 'pipe', 'ignore'] });
    this.process.stdin!.on('error', () => {}); // It may have ended.
    this.process.stdout!.setEncoding('latin1').on('data', (text: string) => this.take(text));
    this.exited = new Promise((done) => {
      this.process.once('error', () => done());
      this.process.once('exit', () => done());
    });
  }

  /** Types a line at its console. */
  type(line: string): void {
    this.process.stdin!.write(`\x10${line}\n`);
  }

  /**
   * Types a line, and gives every line that it prints from then on to `each`, until that returns true or the engine ends.
   * @returns the lines
   */
  async run(line: string, isLast: (line: string) => boolean): Promise<string[]> {
    const lines: string[] = [];
    const done = new Promise<void>((resolve) => {
      this.line = (it) => {
        lines.push(it);
        if (isLast(it)) resolve();
      };
    });
    this.type(line);
    await Promise.race([done, this.exited]);
    this.line = () => {};
    return lines;
  }

  /** Writes files into its flash, by name. */
  async install(files: Readonly<Record<string, string>>): Promise<void> {
    this.process.stdin!.write(upload(files));
    const lines = await this.run(`print(${JSON.stringify(INSTALLED)})`, (it) => it === INSTALLED);
    const faults = lines.filter((it) => it.includes('Uncaught'));
    if (faults.length > 0) throw new Error(`Espruino could not be given its files: ${lines.join('\n')}`);
  }

  /** The value of an expression, by way of JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const [line = ''] = await this.run(`print(JSON.stringify(${expression}))`, () => true);
    return JSON.parse(line);
  }

  async close(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private take(text: string): void {
    const lines = (this.text + text).split('\n');
    this.text = lines.pop()!;
    for (const it of lines) {
      const line = it.replace(PROMPT, '').trimEnd();
      if (line !== '') this.line(line);
    }
  }
}
