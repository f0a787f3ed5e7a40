// Roots that are replaced, proved, refused and rolled back, with a store in memory: asks its host for nothing.

import type { Adapter, MqttError, TransportEvents } from '../../../src/index.ts';
import { fromPem, type KeyValueStore, RootStore, type RootsInput, toPem, trusted } from '../../../src/trust.ts';

export interface TrustInput {
  /** PEM of three roots, of which the second ends later than the first, and the third sooner; and of a server's certificate. */
  readonly before: string;
  readonly later: string;
  readonly sooner: string;
  readonly leaf: string;
  readonly now: number;
}

/** A login that is accepted: CONNACK. */
const ACCEPTED = [0x20, 2, 0, 0];

const nothing = () => {};

/** One dial with the roots that are to be tried, and how the network lets it end. */
function dial(roots: RootStore, end: (events: TransportEvents) => void): void {
  const host = {
    security: 'authenticated' as const,
    now: () => 0,
    alarm: () => ({ set: nothing, clear: nothing }),
    random: () => 0,
    report: nothing,
  };
  const transport = { write: () => 0, pause: nothing, resume: nothing, close: nothing, abort: nothing };
  let inner: TransportEvents | undefined;
  const adapter = (): Adapter => ({
    ...host,
    dial(_, events) {
      inner = events;
      return transport;
    },
  });
  const outer = { opened: nothing, received: nothing, writable: nothing, closed: nothing, warning: nothing };
  trusted({ store: roots, adapter }).dial({ host: 'h', port: 8883, roots: 'private' }, outer);
  end(inner!);
}

const accepted = (events: TransportEvents): void => {
  events.opened();
  events.received(Uint8Array.from(ACCEPTED));
};

const untrusted = (events: TransportEvents): void =>
  events.closed(Object.assign(new Error(), { name: 'MqttError', code: 'tls', reason: 'untrusted' }) as MqttError);

/** What happened, a line for each step. */
export function trust({ before, later, sooner, leaf, now }: TrustInput): string[] {
  const records: Record<string, Uint8Array | undefined> = {};
  const store: KeyValueStore = {
    get: (key) => records[key],
    put(key, record) {
      records[key] = new Uint8Array(record);
    },
    remove(key) {
      records[key] = undefined;
    },
  };
  const told: string[] = [];
  const start = () =>
    new RootStore({
      store,
      wallClock: () => now,
      sets: { private: before },
      changed: ({ what, roots }) => told.push(`${what} ${roots[0]!.subject}`),
    });
  const refused = (input: RootsInput): string => {
    try {
      return String(roots.replace('private', input));
    } catch (error) {
      return (error as { readonly reason?: string }).reason ?? 'no reason';
    }
  };
  const subject = (from: RootStore): string => from.inUse('private')[0]!.subject;
  const [der] = fromPem(later);
  let roots = start();
  told.push(subject(roots));
  for (const input of [leaf, later.slice(0, 200), der!.subarray(0, 100), sooner, before]) told.push(refused(input));
  told.push(String(toPem(der!) === later));
  roots.replace('private', der!);
  roots = start(); // The power went.
  told.push(`still ${subject(roots)}`);
  dial(roots, accepted);
  told.push(`after a restart ${subject(start())}`);
  roots.replace('private', sooner, { force: true });
  for (let i = 0; i < 3; i++) dial(roots, untrusted);
  told.push(`back to ${subject(roots)}`, refused(sooner));
  return told;
}
