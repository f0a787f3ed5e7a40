// A server on this machine that answers what it must, for clients that sit there.

import { createServer, type Server as NetServer } from 'node:net';
import { Server } from '../virtual/server.ts';

export interface QuietServer {
  readonly port: number;
  close(): void;
}

export async function quietServer(): Promise<QuietServer> {
  const server: NetServer = createServer((socket) => {
    const link = { send: (bytes: Uint8Array) => void socket.write(bytes), close: () => void socket.destroy() };
    const session = new Server(link, { now: () => 0, schedule: () => {} });
    socket.on('data', (bytes: Buffer) => session.received(bytes));
    socket.on('error', () => {}); // A client that was ended.
    socket.once('close', () => session.end());
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve));
  const { port } = server.address() as { port: number };
  return { port, close: () => void server.close() };
}
