// QuickJS as a host in C would embed it: a runtime with a limit of memory, a global `host`, and a loop that calls back. Here
// the engine is QuickJS or QuickJS-ng compiled to WebAssembly, and the loop is Node's.

import quickjsNg from '@jitl/quickjs-ng-wasmfile-release-sync';
import quickjs from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core';
import type { BareSettings } from '../bare/host.ts';
import { NodeSockets, type SocketsOptions } from './sockets.ts';

export const VARIANTS: Readonly<Record<'quickjs' | 'quickjs-ng', QuickJSSyncVariant>> = Object.freeze({
  // Their types are those of modules that Node gives as default exports.
  quickjs: quickjs as unknown as QuickJSSyncVariant,
  'quickjs-ng': quickjsNg as unknown as QuickJSSyncVariant,
});

export interface QuickJsOptions extends SocketsOptions {
  readonly engine?: keyof typeof VARIANTS;
  readonly settings: BareSettings;
  readonly print: (line: string) => void;
  /** Called once the program has said that it ends; by then everything of the engine is gone. */
  readonly exited: (code: number) => void;
  /** Bytes that the engine may allocate; default 1 MiB. */
  readonly memoryLimit?: number;
}

/** Views of typed arrays do not cross to the host: their buffers do. */
const PRELUDE = `host.send = function (handle, bytes) {
  return host.sendBuffer(handle, bytes.buffer, bytes.byteOffset, bytes.length);
};`;

/** What the engine says of its memory, in bytes and in numbers of things. */
export type MemoryUsage = Readonly<Record<string, number>>;

export class QuickJsEngine {
  private readonly context: QuickJSContext;
  private readonly sockets: NodeSockets;
  private readonly options: QuickJsOptions;
  private readonly hostObject: QuickJSHandle;
  private exitCode: number | undefined;

  private constructor(context: QuickJSContext, options: QuickJsOptions) {
    this.context = context;
    this.options = options;
    this.sockets = new NodeSockets((kind, handle, detail) => this.event(kind, handle, detail), options);
    this.hostObject = this.makeHost();
  }

  static async start(options: QuickJsOptions): Promise<QuickJsEngine> {
    const module = await newQuickJSWASMModuleFromVariant(VARIANTS[options.engine ?? 'quickjs']);
    const runtime = module.newRuntime();
    runtime.setMemoryLimit(options.memoryLimit ?? 2 ** 20);
    runtime.setMaxStackSize(2 ** 17);
    return new QuickJsEngine(runtime.newContext(), options);
  }

  /** Runs a program up to its first wait. @throws Error as the program threw it, or the engine at a limit */
  run(code: string): void {
    this.turn(() => this.context.evalCode(code, 'device.js', { type: 'global' }));
  }

  /** Memory that the engine uses, what its garbage collector has not looked at yet included. */
  memory(): MemoryUsage {
    const usage = this.context.runtime.computeMemoryUsage();
    const numbers = this.context.dump(usage) as MemoryUsage;
    usage.dispose();
    return numbers;
  }

  close(): void {
    this.sockets.close();
    this.hostObject.dispose();
    const { runtime } = this.context;
    this.context.dispose();
    runtime.dispose();
  }

  private makeHost(): QuickJSHandle {
    const { context, sockets, options } = this;
    const host = context.newObject();
    const give = (name: string, call: (...args: QuickJSHandle[]) => number | undefined) => {
      const handle = context.newFunction(name, (...args) => {
        const answer = call(...args);
        return answer === undefined ? context.undefined : context.newNumber(answer);
      });
      context.setProp(host, name, handle);
      handle.dispose();
    };
    const number = (handle: QuickJSHandle) => context.getNumber(handle);
    give('open', (name, port) => sockets.open(context.getString(name!), number(port!)));
    give('sendBuffer', (handle, buffer, offset, length) => {
      const bytes = context.getArrayBuffer(buffer!);
      const start = number(offset!);
      const taken = sockets.send(number(handle!), bytes.value.subarray(start, start + number(length!)));
      bytes.dispose();
      return taken;
    });
    give('control', (handle, command) => void sockets.control(number(handle!), number(command!)));
    give('now', () => sockets.now());
    give('wake', (millis) => void sockets.wake(number(millis!)));
    give('print', (line) => void options.print(context.getString(line!)));
    give('exit', (code) => {
      this.exitCode = number(code!);
      return undefined;
    });
    const rest = context.unwrapResult(
      context.evalCode(`(${JSON.stringify({ settings: options.settings, tls: options.ca !== undefined })})`),
    );
    for (const name of ['settings', 'tls']) {
      const value = context.getProp(rest, name);
      context.setProp(host, name, value);
      value.dispose();
    }
    rest.dispose();
    context.setProp(context.global, 'host', host);
    context.unwrapResult(context.evalCode(PRELUDE)).dispose();
    return host;
  }

  private event(kind: number, handle: number, detail: unknown): void {
    const { context } = this;
    const told = detailOf(context, detail);
    const numbers = [context.newNumber(kind), context.newNumber(handle)];
    const event = context.getProp(this.hostObject, 'event');
    this.turn(() => context.callFunction(event, context.undefined, ...numbers, told));
    for (const it of [told, event, ...numbers]) it.dispose();
    if (this.exitCode === undefined) return;
    this.close();
    this.options.exited(this.exitCode);
  }

  /** Runs the engine, the jobs of promises included. */
  private turn(run: () => ReturnType<QuickJSContext['evalCode']>): void {
    this.context.unwrapResult(run()).dispose();
    this.context.unwrapResult(this.context.runtime.executePendingJobs());
  }
}

function detailOf(context: QuickJSContext, detail: unknown): QuickJSHandle {
  if (detail instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = detail;
    return context.newArrayBuffer(buffer.slice(byteOffset, byteOffset + byteLength));
  }
  return detail === undefined ? context.undefined : context.newString(String(detail));
}
