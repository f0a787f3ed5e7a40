// The end-to-end script: one device that goes through everything a device does, the same on every engine. It asks its host
// for an adapter and a way to print, and for nothing else: no promises, no timers, no text decoder.
//
// How an engine's suite uses it: an entry file imports endToEnd() and calls it with the engine's adapter; the bundler makes
// one file of it for the engine's language level; the suite starts `EndToEndServer` of test/support/end-to-end-server.ts,
// hands its endpoint and device to the engine, collects what is printed up to the line that begins with `end`, and calls
// `server.judge(lines)`, which compares what the device said with what the server saw on the wire.

import {
  type Adapter,
  Client,
  type ClientOptions,
  deviceSecret,
  type Endpoint,
  exactlyOnce,
  type QoS,
  type ReceivedMessage,
  type SignMethod,
} from '../../src/index.ts';

export interface EndToEndHost {
  readonly adapter: Adapter;
  readonly endpoint: Endpoint;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  /** The host's own HMAC-SHA1, where it has one; default that of the package. */
  readonly signMethod?: SignMethod | undefined;
  /** How long a step may take, in milliseconds; default 20,000. */
  readonly stepMillis?: number | undefined;
  /** Gets `ok <step>` or `not ok <step>: <code>` for each step, and at the end `end ok` or `end not ok`. */
  readonly print: (line: string) => void;
  /** Called after the last line. */
  readonly done?: ((ok: boolean) => void) | undefined;
}

type Step = readonly [name: string, begin: (run: Run) => void];

/** The worked example of the platform's documentation. */
const EXAMPLE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', clientId: '12345', timestamp: 789 };
const SIGNATURE = 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14';

const LARGE = 10_240;

/** What arrives around the cut: QoS 1 comes again, QoS 2 does not, whatever was on its way when the link went. */
const AROUND_THE_CUT = 'least once halfway +least end';

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function largePayload(): Uint8Array {
  const bytes = new Uint8Array(LARGE);
  for (let i = 0; i < LARGE; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
  return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sign(run: Run): void {
  const { signMethod } = run.host;
  const identity = deviceSecret({ ...EXAMPLE, signMethod });
  const { password } = identity.credentials({ number: 1, secure: false });
  run.expect(SIGNATURE, String(password));
}

function connect(run: Run): void {
  run.client = run.makeClient(run.host.deviceSecret, { minMillis: 50, maxMillis: 200 });
  run.client.on('message', (message) => run.received(message));
  run.client.on('connected', ({ sessionPresent }) => run.told(sessionPresent ? 'resumed' : 'connected'));
  run.client.on('disconnected', ({ code }) => run.told(code));
  run.onTold = (event) => run.expect('connected', event);
  run.client.connect();
}

function subscribe(run: Run): void {
  run.client!.subscribe(run.topic('get'), { qos: 2 }, (error, granted) => {
    run.expect('2', error ? error.code : String(granted));
  });
}

/** Publishes, and waits for the same message back and for the acknowledgement. */
function exchange(run: Run, payload: Uint8Array | string, qos: QoS): void {
  let missing = 2;
  const one = () => {
    if (--missing === 0) run.ok();
  };
  run.onMessage = (message) => {
    const isSame = typeof payload === 'string' ? textOf(message.payload) === payload : same(message.payload, payload);
    if (!isSame) run.fail(`content-of-${message.payload.length}-bytes`);
    else if (message.qos !== qos || message.dup) run.fail(`qos-${message.qos}`);
    else one();
  };
  run.client!.publish(run.topic('update'), payload, { qos }, (error) => {
    if (error) run.fail(error.code);
    else one();
  });
}

/** The server cuts the link while three messages each way are unfinished, and takes up the session where it was. */
function redeliver(run: Run): void {
  const arrived: string[] = [];
  const events: string[] = [];
  let done = 0;
  const check = () => {
    if (done < 3 || arrived.length === 0 || arrived[arrived.length - 1] !== 'end') return;
    if (events.join(' ') !== 'lost resumed') run.fail(`events-${events.join('-')}`);
    else run.expect(AROUND_THE_CUT, arrived.join(' '));
  };
  run.onTold = (event) => {
    events.push(event === 'closed-by-peer' || event === 'tcp' ? 'lost' : event);
  };
  run.onMessage = ({ payload, dup }) => {
    arrived.push((dup ? '+' : '') + textOf(payload));
    check();
  };
  const publish = (text: string, qos: QoS) => {
    run.client!.publish(run.topic('cut'), text, { qos }, (error) => {
      if (error) run.fail(error.code);
      done++;
      check();
    });
  };
  publish('at least once', 1);
  publish('exactly once', 2);
  publish('exactly once, halfway', 2);
}

function close(run: Run): void {
  run.client!.close(() => {
    const { state, inFlight, queued, held } = run.client!.stats();
    run.expect('idle 0 0 0', `${state} ${inFlight} ${queued} ${held}`);
  });
}

/** A second client, with a wrong secret and no second attempt. */
function refuse(run: Run): void {
  const client = run.makeClient(`not ${run.host.deviceSecret}`, false);
  run.client = client;
  client.on('disconnected', ({ error }) => {
    if (error?.code !== 'refused') run.fail(error ? error.code : 'closed');
    else run.expect('4 or 5', error.returnCode === 4 || error.returnCode === 5 ? '4 or 5' : String(error.returnCode));
  });
  client.on('connected', () => run.fail('connected'));
  client.connect();
}

/** In order. */
const STEPS: readonly Step[] = [
  ['sign', sign],
  ['connect', connect],
  ['subscribe', subscribe],
  ['qos 0', (run) => exchange(run, 'zero', 0)],
  ['qos 1', (run) => exchange(run, 'one', 1)],
  ['qos 2', (run) => exchange(run, 'two', 2)],
  ['empty', (run) => exchange(run, '', 1)],
  ['large', (run) => exchange(run, largePayload(), 1)],
  ['redelivery', redeliver],
  ['close', close],
  ['refused', refuse],
];

export const STEP_NAMES: readonly string[] = STEPS.map(([name]) => name);

class Run {
  readonly host: EndToEndHost;
  client: Client | undefined = undefined;
  /** What the present step does with messages, and with connections that come and go. */
  onMessage: ((message: ReceivedMessage) => void) | undefined = undefined;
  onTold: ((event: string) => void) | undefined = undefined;
  private step = -1;
  private readonly alarm;

  constructor(host: EndToEndHost) {
    this.host = host;
    this.alarm = host.adapter.alarm(() => this.fail('timeout'));
  }

  next(): void {
    this.onMessage = undefined;
    this.onTold = undefined;
    this.step++;
    const step = STEPS[this.step];
    if (!step) return this.end(true);
    this.alarm.set(this.host.stepMillis || 20_000);
    try {
      step[1](this);
    } catch (error) {
      this.fail((error as { code?: string }).code || String(error));
    }
  }

  makeClient(secret: string, reconnect: ClientOptions['reconnect']): Client {
    const { adapter, endpoint, productKey, deviceName, signMethod } = this.host;
    return new Client({
      adapter,
      endpoints: [endpoint],
      identity: deviceSecret({ productKey, deviceName, deviceSecret: secret, signMethod }),
      delivery: exactlyOnce,
      allowPlaintext: adapter.security === 'plaintext',
      reconnect,
    });
  }

  topic(name: string): string {
    return `/${this.host.productKey}/${this.host.deviceName}/user/${name}`;
  }

  received(message: ReceivedMessage): void {
    if (this.onMessage) this.onMessage(message);
    else this.fail('unexpected-message');
  }

  told(event: string): void {
    if (this.onTold) this.onTold(event);
    else if (event !== 'closed') this.fail(event);
  }

  expect(expected: string, actual: string): void {
    if (actual === expected) this.ok();
    else this.fail(actual);
  }

  ok(): void {
    const step = STEPS[this.step];
    if (!step) return;
    this.host.print(`ok ${step[0]}`);
    this.next();
  }

  /** The first failure ends the run: what follows would only fail with it. */
  fail(code: string): void {
    const step = STEPS[this.step];
    if (!step) return;
    this.host.print(`not ok ${step[0]}: ${code}`);
    this.step = STEPS.length;
    if (this.client) this.client.abort();
    this.end(false);
  }

  private end(ok: boolean): void {
    this.alarm.clear();
    this.host.print(ok ? 'end ok' : 'end not ok');
    if (this.host.done) this.host.done(ok);
  }
}

/** Runs all steps, one after the other. Never throws. */
export function endToEnd(host: EndToEndHost): void {
  new Run(host).next();
}
