// How much heap a device takes in QuickJS once it is connected: the figures of README.md and of the budget.

import { createServer, type TLSSocket } from 'node:tls';
import { parse } from '@babel/parser';
import babelTraverse from '@babel/traverse';
import { QuickJsEngine, type VARIANTS } from './engine.ts';

const traverse = babelTraverse.default; // A CommonJS module: its default export is all of it.

export interface Heap {
  /** Bytes that the engine uses before the program, and once the program is connected. */
  readonly empty: number;
  readonly connected: number;
  /** Of that, the texts of functions and the tables of their lines, which no device carries: `qjsc -s` leaves them out. */
  readonly debug: number;
}

/** Bytes of the texts that the engine keeps for Function.prototype.toString: each function's own, and for a class all of it. */
function textBytes(code: string): number {
  let bytes = 0;
  traverse(parse(code), {
    enter({ node }) {
      const isConstructor = node.type === 'ClassMethod' && node.kind === 'constructor'; // It counts as the class.
      const hasText = /Function|^Class(Declaration|Expression)$|^(Class|Object)(Private)?Method$/.test(node.type);
      const length = node.end! - node.start!;
      const isOutermost = length > code.length / 2; // Gone once it has run.
      if (hasText && !isConstructor && !isOutermost) bytes += length + 1;
    },
  });
  return bytes;
}

/** Accepts whatever CONNECT comes. */
const accept = (socket: TLSSocket): void => {
  socket.once('data', () => socket.write(Uint8Array.of(0x20, 2, 0, 0)));
  socket.on('error', () => {});
};

/** Runs a program that prints `connected`. @param certificates of a server named localhost, PEM */
export async function measureHeap(
  code: string,
  engine: keyof typeof VARIANTS,
  certificates: { readonly authority: string; readonly chain: string; readonly privateKey: string },
): Promise<Heap> {
  const { authority, chain, privateKey } = certificates;
  const server = createServer({ cert: chain, key: privateKey }, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  let connected = (): void => {};
  const whenConnected = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const device = await QuickJsEngine.start({
    engine,
    ca: authority,
    settings: { host: 'localhost', port, productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' },
    print: (line) => line === 'connected' && connected(),
    exited: () => {},
  });
  const empty = device.memory().memory_used_size!;
  device.run(code);
  await whenConnected;
  await new Promise((resolve) => setImmediate(resolve)); // The turn that said so is over.
  const { memory_used_size, js_func_pc2line_size } = device.memory();
  device.close();
  server.close();
  return { empty, connected: memory_used_size!, debug: textBytes(code) + js_func_pc2line_size! };
}
