// A realm of its own in this process, spoken to like the XS engine: for what needs the language and nothing else.

import { createContext, runInContext } from 'node:vm';
import type { Answer } from './xsnap.ts';

export class VmMachine {
  private readonly context = createContext({ TextDecoder, TextEncoder, gc: () => {} });

  async evaluate(code: string): Promise<Answer> {
    return this.answer(runInContext(code, this.context));
  }

  async command(text: string): Promise<Answer> {
    const { handleCommand } = this.context as { handleCommand: (command: ArrayBuffer) => ArrayBuffer };
    const reply = handleCommand(new TextEncoder().encode(text).buffer as ArrayBuffer);
    await new Promise((resolve) => setImmediate(resolve)); // As the engine: its promises are done when it answers.
    return this.answer(reply);
  }

  async close(): Promise<void> {}

  private answer(reply: unknown): Answer {
    const isBytes = Object.prototype.toString.call(reply) === '[object ArrayBuffer]';
    return {
      reply: isBytes ? Buffer.from(new Uint8Array(reply as ArrayBuffer)) : Buffer.alloc(0),
      compute: 0,
      currentHeapCount: 0,
    };
  }
}
