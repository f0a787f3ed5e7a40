// What the state machine should do, said as simply as can be: arrays, strings and numbers that never wrap. It is given whole
// packets, and everything it has to do is carried out at once.

import { type Incoming, PacketType, type QoS } from '../../src/framing/packet.ts';
import { published } from './machine.ts';

interface Out {
  readonly id: number;
  readonly name: string;
  readonly qos: QoS;
  /** PUBREC came. */
  released: boolean;
  /** At any time. */
  sent: boolean;
  /** On this connection. */
  sentHere: boolean;
}

interface In {
  readonly id: number;
  readonly qos: QoS;
  readonly name: string;
  /** `app`: it works on it. `lost`: as app, from a lost connection. `done`: to be answered. `answered`: PUBREC was sent. */
  step: 'app' | 'lost' | 'done' | 'answered';
}

interface Request {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly filters: number;
}

export interface ModelOptions {
  readonly maxInFlight: number;
  readonly keepAlive: number;
  readonly pingTimeout: number;
}

export class Model {
  phase: 'closed' | 'waiting' | 'connected' | 'closing' = 'closed';
  unread = false;
  lastId = 0;
  unknown = 0;
  out: Out[] = [];
  in: In[] = [];
  requests: Request[] = [];
  private readonly options: ModelOptions;
  private readonly interval: number;
  private clean = false;
  private now = 0;
  private sentAt = 0;
  private receivedAt = 0;
  private pingAt = -1;
  private lines: string[] = [];

  constructor(options: ModelOptions) {
    this.options = options;
    this.interval = options.keepAlive - Math.min(5_000, options.keepAlive / 10);
  }

  /** What is done by now, since the last call. */
  take(): string[] {
    if (this.phase === 'connected') for (const it of this.out) if (!it.sentHere) this.transmit(it);
    const { lines } = this;
    this.lines = [];
    return lines;
  }

  nextTimeout(): number | undefined {
    if (this.phase !== 'connected' || this.interval === 0) return undefined;
    if (this.pingAt >= 0) return this.pingAt + Math.min(this.options.pingTimeout, this.interval);
    return Math.min(this.sentAt, this.receivedAt) + this.interval;
  }

  // What came in.

  opened(clean: boolean, now: number): void {
    this.phase = 'waiting';
    this.clean = clean;
    this.now = this.sentAt = this.receivedAt = now;
    this.pingAt = -1;
    this.lines.push(
      `CONNECT clientId="device" cleanSession=${clean} keepAliveSeconds=${this.options.keepAlive / 1_000}`,
    );
  }

  input(packets: readonly Incoming[], now: number): void {
    if (this.phase !== 'waiting' && this.phase !== 'connected') return;
    this.now = this.receivedAt = now;
    for (const packet of packets) this.receive(packet);
  }

  timeout(now: number): void {
    const due = this.nextTimeout();
    this.now = now;
    if (due === undefined || now < due) return;
    const patience = Math.min(this.options.pingTimeout, this.interval);
    const heard = this.receivedAt >= this.pingAt;
    if (this.pingAt < 0 || heard || now - due > patience || this.unread) this.ping();
    else this.close('pingresp-timeout');
  }

  closed(now: number): void {
    this.now = now;
    this.phase = 'closed';
    for (const it of this.requests) this.lines.push(`settled ${it.name} closed`);
    this.requests = [];
    for (const it of this.out) it.sentHere = false;
    this.in = this.in.filter((it) => it.qos === 2);
    for (const it of this.in) {
      if (it.step === 'app') it.step = 'lost';
      if (it.step === 'done') it.step = 'answered';
    }
  }

  // Commands. Each gives the code of what it throws.

  publish(name: string, qos: QoS, now: number): string | undefined {
    if (this.phase !== 'connected') return 'not-connected';
    if (qos > 0 && this.out.length >= this.options.maxInFlight) return 'window-full';
    this.now = now;
    if (qos === 0) {
      this.send(published(name, 0, 0));
      this.lines.push(`settled ${name}`);
    } else {
      this.add(name, qos);
    }
    return undefined;
  }

  /** `line` is the packet without its identifier: what comes before it, and after it. */
  request(type: number, name: string, filters: number, line: [string, string], now: number): string | undefined {
    if (this.phase !== 'connected') return 'not-connected';
    this.now = now;
    const id = this.newId();
    this.requests.push({ id, name, type, filters });
    if (type === PacketType.Subscribe) this.send(`${line[0]}${id}${line[1]}`);
    else this.lines.push(`${line[0]}${id}${line[1]}`);
    return undefined;
  }

  acknowledge(name: string): void {
    const it = this.in.find((one) => one.name === name);
    if (it?.step === 'lost') it.step = 'answered';
    if (it?.step === 'app') it.step = 'done';
    if (this.phase === 'connected') this.answer();
  }

  disconnect(): void {
    if (this.phase === 'connected') this.lines.push('DISCONNECT');
    if (this.phase === 'connected' || this.phase === 'waiting') this.close('');
  }

  // Packets.

  private receive(packet: Incoming): void {
    if (this.phase === 'closing') return;
    if (packet.type === PacketType.Connack) return this.receiveConnack(packet.sessionPresent, packet.returnCode);
    if (this.phase === 'waiting') return this.close('unexpected-packet');
    switch (packet.type) {
      case PacketType.Publish:
        return this.receivePublish(packet.packetId, packet.qos, Buffer.from(packet.payload).toString());
      case PacketType.Suback:
        return this.receiveAnswer(PacketType.Subscribe, packet.packetId, packet.granted);
      case PacketType.Unsuback:
        return this.receiveAnswer(PacketType.Unsubscribe, packet.packetId);
      case PacketType.Pubrel:
        return this.receivePubrel(packet.packetId);
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubcomp:
        return this.receiveAcknowledgement(packet.type, packet.packetId);
      case PacketType.Pingresp:
        if (this.pingAt >= 0) this.receivedAt = this.pingAt; // Its silence counts from the ping.
        this.pingAt = -1;
    }
  }

  private receiveConnack(sessionPresent: boolean, returnCode: number): void {
    if (this.phase === 'connected') return this.close('unexpected-packet');
    if (returnCode > 0) return this.close('refused');
    if (sessionPresent && this.clean) return this.close('unexpected-packet');
    this.phase = 'connected';
    this.lines.push(`connected ${sessionPresent}`);
    if (sessionPresent) return;
    const old = this.out;
    this.in = [];
    this.out = [];
    for (const it of old) {
      if (it.released) this.lines.push(`settled ${it.name}`);
      else this.add(it.name, it.qos);
    }
  }

  private receivePublish(id: number, qos: QoS, name: string): void {
    const held = this.in.find((it) => qos === 2 && it.qos === 2 && it.id === id);
    if (!held) {
      if (qos > 0) this.in.push({ id, qos, name, step: 'app' });
      this.lines.push(`message ${name}`);
      return;
    }
    this.in = [...this.in.filter((it) => it !== held), held];
    if (held.step === 'lost') held.step = 'app';
    if (held.step === 'answered') held.step = 'done';
    this.answer();
  }

  private receivePubrel(id: number): void {
    const held = this.in.find((it) => it.qos === 2 && it.id === id);
    if (held && held.step !== 'answered') return this.close('unexpected-packet');
    this.in = this.in.filter((it) => it !== held);
    this.lines.push(`PUBCOMP packetId=${id}`);
  }

  private receiveAcknowledgement(type: 4 | 5 | 7, id: number): void {
    const it = this.out.find((one) => one.id === id && one.sent);
    const wanted = !it
      ? [PacketType.Puback, PacketType.Pubrec, PacketType.Pubcomp]
      : it.qos === 1
        ? [PacketType.Puback]
        : it.released
          ? [PacketType.Pubrec, PacketType.Pubcomp]
          : [PacketType.Pubrec];
    if (!wanted.some((one) => one === type)) return this.close('unexpected-packet');
    if (!it) this.unknown++;
    if (type === PacketType.Pubrec) {
      this.lines.push(`PUBREL packetId=${id}`);
      if (it) it.released = true;
    } else if (it) {
      this.out = this.out.filter((one) => one !== it);
      this.lines.push(`settled ${it.name}`);
    }
  }

  private receiveAnswer(type: number, id: number, granted?: readonly number[]): void {
    const request = this.requests.find((it) => it.id === id);
    if (!request) {
      this.unknown++;
      return;
    }
    if (request.type !== type || (granted && granted.length !== request.filters))
      return this.close('unexpected-packet');
    this.requests = this.requests.filter((it) => it !== request);
    this.lines.push(`settled ${request.name} ${granted ?? ''}`.trim());
  }

  // Sending.

  /** In order, up to the first message that the app works on. */
  private answer(): void {
    for (const it of [...this.in]) {
      if (it.step === 'app') return;
      if (it.step !== 'done') continue;
      if (it.qos === 1) this.in = this.in.filter((one) => one !== it);
      it.step = 'answered';
      if (it.qos === 1) this.send(`PUBACK packetId=${it.id}`);
      else this.lines.push(`PUBREC packetId=${it.id}`);
    }
  }

  private transmit(it: Out): void {
    it.sentHere = true;
    if (it.released) {
      this.lines.push(`PUBREL packetId=${it.id}`);
    } else {
      this.send(published(it.name, it.qos, it.id, it.sent));
      it.sent = true;
    }
  }

  /** A packet that puts the next ping off. */
  private send(line: string): void {
    this.lines.push(line);
    this.sentAt = this.now;
  }

  private ping(): void {
    this.send('PINGREQ');
    this.pingAt = this.now;
  }

  private close(code: string): void {
    this.phase = 'closing';
    this.lines.push(`close ${code}`.trim());
  }

  private add(name: string, qos: QoS): void {
    this.out.push({ id: this.newId(), name, qos, released: false, sent: false, sentHere: false });
  }

  private newId(): number {
    const taken = [...this.out, ...this.requests].map(({ id }) => id);
    do {
      this.lastId = (this.lastId % 65_535) + 1;
    } while (taken.includes(this.lastId));
    return this.lastId;
  }
}
