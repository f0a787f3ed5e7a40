// What the suite runs on the real SDK. One message names the program; what it traces comes out.

import TCP from 'embedded:io/socket/tcp';
import TLSSocket from 'embedded:io/socket/tcp/tls';
import UDP from 'embedded:io/socket/udp';
import Resolver from 'embedded:network/dns/resolver/udp';
import Instrumentation from 'instrumentation';
import Debug from 'mc/debug';
import Time from 'time';
import Timer from 'timer';
import { ecma419Tcp, ecma419Tls } from '../../../../src/ecma419.ts';
import { type Adapter, Client, type Endpoint, plainIdentity } from '../../../../src/index.ts';
import { device as slice } from '../../../../targets/bundler/apps/slice.ts';
import {
  BlackBox,
  device,
  PromiseClient,
  persistSession,
  quarantine,
  Router,
} from '../../../../targets/bundler/apps/whole.ts';
import { type EndToEndHost, endToEnd } from '../../../../targets/end-to-end/script.ts';

declare const trace: (text: string) => void;
declare const screen: { onMessage: (text: string) => void; postMessage(code: string): void };

export interface Order {
  readonly program: 'end-to-end' | 'dial' | 'slice' | 'whole';
  readonly endpoint: Endpoint;
  /** The root to trust, DER: TLS. */
  readonly certificate?: readonly number[] | undefined;
}

const print = (line: string): void => trace(`${line}\n`);
const exit = (ok: boolean): void => screen.postMessage(ok ? '0' : '1');

function makeAdapter({ certificate }: Order): Adapter {
  const parts = { TCP, Timer, Time, resolver: new Resolver({ servers: ['127.0.0.1'], socket: { io: UDP } }) };
  return certificate
    ? ecma419Tls({ ...parts, TLSSocket, certificate: Uint8Array.from(certificate) })
    : ecma419Tcp(parts);
}

/** Prints what is in use without garbage: bytes of slots, bytes of chunks, modules in memory. */
function measure(when: string): void {
  Debug.gc();
  Debug.gc();
  const get = (name: string) => Instrumentation.get(Instrumentation.map(name));
  print(
    `${when} ${get('XS Slot Heap Used')} ${get('XS Chunk Heap Used')} ${get('XS Modules Loaded')} ${get('XS Stack Used')}`,
  );
}

function makeWhole(adapter: Adapter, endpoint: Endpoint): Client {
  const client = device(adapter, endpoint);
  persistSession(client, { put: () => {}, remove: () => {}, each: () => {} });
  quarantine(client);
  parts.push(new BlackBox(client), new Router(client), new PromiseClient(client));
  return client;
}

/** What an app keeps. Made for each machine, since this module's body has run long before. */
let parts: object[];

/** From a machine that has started nothing to a device that is connected. */
function memory(order: Order): void {
  parts = [];
  const make = order.program === 'whole' ? makeWhole : slice;
  // Both are made for TLS.
  const client = make(Object.assign(makeAdapter(order), { security: 'authenticated' as const }), order.endpoint);
  client.on('connected', () => {
    Timer.set(() => {
      measure('after');
      exit(true);
    }, 0);
  });
  client.on('disconnected', ({ code }) => {
    print(code);
    exit(false);
  });
  client.connect();
}

/** One dial, and how it ended. */
function dial(order: Order): void {
  const client = new Client({
    adapter: makeAdapter(order),
    endpoints: [order.endpoint],
    identity: plainIdentity({ clientId: 'device' }),
    allowPlaintext: true,
    reconnect: false,
  });
  client.on('connected', () => print('connected'));
  client.on('disconnected', ({ code, error }) => {
    print(`${code} ${error?.reason}`);
    exit(true);
  });
  client.connect();
}

export default function main(): void {
  measure('before');
  screen.onMessage = (text) => {
    const order = JSON.parse(text) as Order;
    if (order.program === 'dial') return dial(order);
    if (order.program !== 'end-to-end') return memory(order);
    endToEnd({ ...(order as unknown as EndToEndHost), adapter: makeAdapter(order), print, done: exit });
  };
}
