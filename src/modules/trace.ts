// Records everything that goes into a state machine, one line of JSON a call, and plays it again: since the machine knows no
// clock and no socket, what comes out is the same to the bit. Passwords are written as so many x.

import type { Client } from '../client/client.ts';
import { type MqttError, mqttError } from '../error.ts';
import { mqttPacketFraming } from '../framing/mqtt-packet.ts';
import type { Message } from '../framing/packet.ts';
import type { Action } from '../protocol/action.ts';
import { Connection } from '../protocol/connection.ts';
import type { ConnectFields, ConnectionOptions } from '../protocol/connection-options.ts';
import type {
  Delivery,
  Operation,
  Receipt,
  ReceivedMessage,
  Session,
  Subscription,
  Unsubscription,
} from '../protocol/session.ts';
import { abandon, limitSending } from '../protocol/set-aside.ts';
import type { Instant } from '../time.ts';
import { utf8Length } from '../utf8.ts';

/** The calls that change a machine, and `poll`, whose answer is checked. */
type Call =
  | { readonly call: 'restored'; readonly session: TracedSession }
  | { readonly call: 'opened'; readonly now: Instant; readonly fields: TracedConnect }
  | { readonly call: 'input'; readonly now: Instant; readonly bytes: string }
  | { readonly call: 'timeout' | 'closed' | 'disconnect'; readonly now: Instant }
  | { readonly call: 'publish'; readonly now: Instant; readonly message: TracedMessage }
  | {
      readonly call: 'request';
      readonly now: Instant;
      readonly filters: Subscription['filters'] | Unsubscription['filters'];
    }
  /** Messages are numbered as they were given out, from 0. */
  | { readonly call: 'acknowledge'; readonly now: Instant; readonly message: number }
  /** Publications are numbered as they were given in, from 0. */
  | { readonly call: 'setAside'; readonly now: Instant; readonly message: number }
  | { readonly call: 'limitSending'; readonly limit: number | null }
  | { readonly call: 'setUnread'; readonly unread: boolean }
  /** What came out: its kind, and a checksum of everything in it. */
  | { readonly call: 'poll'; readonly kind: Action['kind']; readonly sum: number };

type TracedMessage = Omit<Message, 'payload'> & { readonly payload: string };
type TracedConnect = Omit<ConnectFields, 'will' | 'password'> & {
  readonly will?: TracedMessage | undefined;
  readonly password?: string | undefined;
};

/** What a store has brought back before the first connection. */
type TracedSession = Pick<Session, 'lastPacketId' | 'reserved'> & {
  readonly deliveries: readonly (Omit<Delivery, 'message'> & { readonly message: TracedMessage })[];
  readonly receipts: readonly Receipt[];
};

function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += (bytes[i]! + 256).toString(16).slice(1);
  return text;
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.substring(2 * i, 2 * i + 2), 16);
  return bytes;
}

const traced = ({ topic, payload, qos, retain }: Message): TracedMessage => ({
  topic,
  payload: toHex(payload),
  qos,
  retain,
});
const untraced = (it: TracedMessage): Message => ({ ...it, payload: fromHex(it.payload) });

/** A password of the same length, so that packets keep theirs. */
const hidden = (password: string | Uint8Array | undefined): string | undefined =>
  password === undefined
    ? undefined
    : 'x'.repeat(typeof password === 'string' ? utf8Length(password) : password.length);

/** FNV-1a, 32 bits, over a text. */
function checksum(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}

/** Everything in an action that a replay must meet again; a CONNECT only by its length, since it holds the password. */
function essence(action: Action): string {
  switch (action.kind) {
    case 'transmit':
      return action.bytes[0] === 0x10 ? `CONNECT ${action.bytes.length}` : toHex(action.bytes);
    case 'close':
      return `${action.error?.code} ${action.error?.message}`;
    case 'connected':
      return String(action.sessionPresent);
    case 'message':
      return JSON.stringify({ ...traced(action.message), dup: action.message.dup });
    case 'settled':
      return JSON.stringify([plainOperation(action.operation), action.granted, action.error?.code]);
  }
}

const polled = (action: Action): Call => ({ call: 'poll', kind: action.kind, sum: checksum(essence(action)) });

/** Numbers what passes, in its order, and forgets what is over: a recording may go on for months. */
class Numbered<T> {
  private next = 0;
  private items: { readonly item: T; readonly number: number }[] = [];

  add(item: T): void {
    this.items.push({ item, number: this.next++ });
  }

  /** -1 for what is not known, or not any more. */
  numberOf(item: unknown): number {
    for (const it of this.items) if (it.item === item) return it.number;
    return -1;
  }

  forget(item: unknown): void {
    this.items = this.items.filter((it) => it.item !== item);
  }
}

const tracedSession = ({ lastPacketId, reserved, deliveries, receipts }: Session): TracedSession => ({
  lastPacketId,
  reserved,
  deliveries: deliveries.map((it) => ({ ...it, message: traced(it.message) })),
  receipts,
});

/**
 * Records a client's machine from now on; to be called before its first connection, and after
 * persistSession(): what a store brought back is in the trace. Topics and payloads are in the trace.
 * @param write gets one line for each call, without an end of line
 * @returns how to stop
 */
export function recordTrace({ connection }: Client, write: (line: string) => void): () => void {
  const received = new Numbered<ReceivedMessage>();
  const published = new Numbered<Message>();
  const note = (call: Call) => write(JSON.stringify(call));
  note({ call: 'restored', session: tracedSession(connection) });
  for (const { message } of connection.deliveries) published.add(message);
  const { opened, input, publish, request, acknowledge, setUnread, poll } = connection;
  connection.opened = (fields, now) => {
    const will = fields.will && traced(fields.will);
    note({ call: 'opened', now, fields: { ...fields, will, password: hidden(fields.password) } });
    opened.call(connection, fields, now);
  };
  connection.input = (bytes, now) => {
    note({ call: 'input', now, bytes: toHex(bytes) });
    input.call(connection, bytes, now);
  };
  for (const call of ['timeout', 'closed', 'disconnect'] as const) {
    const method = connection[call];
    connection[call] = (now) => {
      note({ call, now });
      method.call(connection, now);
    };
  }
  connection.publish = (message, now) => {
    note({ call: 'publish', now, message: traced(message) });
    published.add(message);
    return publish.call(connection, message, now);
  };
  connection.request = (operation, now) => {
    note({ call: 'request', now, filters: plainFilters(operation.filters) });
    return request.call(connection, operation, now);
  };
  connection.acknowledge = (message, now) => {
    note({ call: 'acknowledge', now, message: received.numberOf(message) });
    received.forget(message);
    acknowledge.call(connection, message, now);
  };
  connection.overheard = (aside) => {
    if (aside.call === 'setAside') note({ ...aside, message: published.numberOf(aside.message) });
    else note({ ...aside, limit: aside.limit === Number.POSITIVE_INFINITY ? null : aside.limit });
  };
  connection.setUnread = (unread) => {
    note({ call: 'setUnread', unread });
    setUnread.call(connection, unread);
  };
  connection.poll = () => {
    const action = poll.call(connection);
    if (action?.kind === 'message') received.add(action.message);
    if (action?.kind === 'settled') published.forget(action.operation);
    if (action) note(polled(action));
    return action;
  };
  return () => {
    connection.overheard = undefined;
    // The methods of the class are behind these again.
    for (const name of PATCHED) delete (connection as Partial<Connection>)[name];
  };
}

const PATCHED = Object.freeze([
  'opened',
  'input',
  'timeout',
  'closed',
  'disconnect',
  'publish',
  'request',
  'acknowledge',
  'setUnread',
  'poll',
] as const);

const plainOperation = (it: Operation) => ('filters' in it ? plainFilters(it.filters) : traced(it));

/** Filters without whatever else the app's objects hold. */
const plainFilters = (filters: Subscription['filters'] | Unsubscription['filters']): typeof filters =>
  filters.map((it) => (typeof it === 'string' ? it : { filter: it.filter, qos: it.qos })) as typeof filters;

/** Calls that the machine refused when they were recorded are refused again. */
function attempt(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error as MqttError).code) throw error;
  }
}

/**
 * Plays a trace on a machine that is as new as the recorded one was.
 * @param options the client's own, as far as they concern the machine
 * @returns how many actions were compared
 * @throws MqttError 'unexpected-packet' at the first action that differs; the message names the line
 */
export function replayTrace(lines: readonly string[], options: Partial<ConnectionOptions> = {}): number {
  const connection = new Connection({ framing: mqttPacketFraming(), ...options });
  const received: ReceivedMessage[] = [];
  const published: Message[] = [];
  let compared = 0;
  const play = (it: Call, line: number): void => {
    switch (it.call) {
      case 'restored': {
        const deliveries = it.session.deliveries.map((kept) => ({ ...kept, message: untraced(kept.message) }));
        for (const { message } of deliveries) published.push(message);
        Object.assign(connection, { ...it.session, deliveries });
        return;
      }
      case 'opened': {
        const { will } = it.fields;
        return connection.opened({ ...it.fields, will: will && untraced(will) }, it.now);
      }
      case 'input':
        return connection.input(fromHex(it.bytes), it.now);
      case 'publish':
        published.push(untraced(it.message));
        return attempt(() => connection.publish(published[published.length - 1]!, it.now));
      case 'request':
        return attempt(() => connection.request({ filters: it.filters } as Subscription, it.now));
      case 'acknowledge':
        return received[it.message] && connection.acknowledge(received[it.message]!, it.now);
      case 'setAside':
        return published[it.message] && abandon(connection, published[it.message]!, it.now);
      case 'limitSending':
        return limitSending(connection, it.limit ?? Number.POSITIVE_INFINITY);
      case 'setUnread':
        return connection.setUnread(it.unread);
      case 'poll': {
        const action = connection.poll();
        if (action?.kind === 'message') received.push(action.message);
        const now = action && polled(action);
        compared++;
        if (JSON.stringify(now) === JSON.stringify(it)) return;
        throw mqttError(
          'unexpected-packet',
          `line ${line}: ${it.kind} was recorded, ${action?.kind ?? 'nothing'} came`,
        );
      }
      default:
        return connection[it.call](it.now);
    }
  };
  for (let i = 0; i < lines.length; i++) play(JSON.parse(lines[i]!) as Call, i + 1);
  return compared;
}
