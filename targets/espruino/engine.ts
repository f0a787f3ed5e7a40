// A Linux build of Espruino as a board: its flash is a file in a folder of its own, programs are written into it, and each
// boot runs what lies there as `.bootcde`. What it prints comes back in lines.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { upload } from './upload.ts';

/** Control characters with which the console redraws its prompt, and the prompt itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
const PROMPT = /\x1b\[[0-9;]*[A-Za-z]|[\r\x00-\x09\x0b-\x1f]|^>+/g;

export class EspruinoEngine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'espruino-'));
  private readonly binary: string;
  private process: ChildProcess | undefined = undefined;

  /** @param binary the path of the executable */
  constructor(binary: string) {
    this.binary = resolve(binary);
  }

  /** Writes files into its flash, by name; `.bootcde` is what a boot runs. */
  async install(files: Readonly<Record<string, string>>): Promise<void> {
    const script = join(this.folder, 'install.js');
    for (const expression of upload(files)) {
      // A piece in a process each, not over the console: the Linux build loses characters of what is typed fast.
      writeFileSync(script, `if (!${expression}) throw new Error("refused");`);
      const lines: string[] = [];
      const code = await this.start([script], (line) => void lines.push(line));
      if (code !== 0) throw new Error(`Espruino could not be given its files: ${lines.join('\n')}`);
    }
  }

  /**
   * Runs what is installed, until `isLast` has seen the line that it waits for, or the engine ends by itself. Then the power
   * is cut; what is in flash stays there.
   * @returns all lines
   */
  async boot(isLast: (line: string) => boolean): Promise<string[]> {
    const lines: string[] = [];
    let isOver = false;
    await this.start([], (line) => {
      if (isOver) return;
      lines.push(line);
      isOver = isLast(line);
      if (isOver) this.cut();
    });
    return lines;
  }

  /** Cuts the power, if it is on. */
  cut(): void {
    this.process?.kill('SIGKILL');
  }

  /** Cuts the power, and forgets the flash. */
  close(): void {
    this.cut();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @returns its exit code */
  private async start(args: readonly string[], each: (line: string) => void): Promise<number | null> {
    // Its standard input is held open: at its end the console would spin.
    const process = spawn(this.binary, args, { cwd: this.folder, stdio: ['pipe', 'pipe', 'ignore'] });
    this.process = process;
    let rest = '';
    process.stdout.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const it of lines) {
        const line = it.replace(PROMPT, '').trimEnd();
        if (line !== '') each(line);
      }
    });
    const [code] = await once(process, 'close');
    this.process = undefined;
    return code;
  }
}
