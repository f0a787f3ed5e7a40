// What a client cannot go below: the codec alone over a bare socket, and bytes that were encoded before.

import { connect, type Socket } from 'node:net';
import { generate, type Packet, parser, writeToStream } from 'mqtt-packet';
import type { Peer, QoS } from '../peers/peer.ts';
import { TOPIC } from './cases.ts';
import type { Contact } from './contenders.ts';

type Dones = Map<number, () => void>;

/** Writes in one piece what was written in one turn of the event loop. */
class Coalescer {
  private parts: Uint8Array[] = [];
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: Uint8Array): void {
    if (this.parts.push(bytes) === 1) queueMicrotask(() => this.flush());
  }

  private flush(): void {
    const { parts } = this;
    this.parts = [];
    this.socket.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }
}

/** QoS 0 is done when written: not before the socket takes more. */
function whenWritten(socket: Socket, done: () => void): void {
  if (socket.writableNeedDrain) socket.once('drain', done);
  else done();
}

const open = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true).setMaxListeners(0);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return socket;
};

/** mqtt-packet over a bare socket, written in one piece a turn: that costs less than writeToStream() into the socket. */
export function codecFloor({ port, clientId, onMessage }: Contact): Peer {
  let socket: Socket;
  let out: Coalescer;
  let told = () => {};
  let lastId = 0;
  const dones: Dones = new Map();
  writeToStream.cacheNumbers = false;
  const send = (packet: Packet) => out.write(generate(packet));
  const settle = (id: number) => {
    const done = dones.get(id);
    dones.delete(id);
    done?.();
  };
  const receive = (packet: Packet) => {
    const messageId = packet.messageId!;
    switch (packet.cmd) {
      case 'connack':
      case 'suback':
        return told();
      case 'publish':
        if (packet.qos === 1) send({ cmd: 'puback', messageId });
        else if (packet.qos === 2) send({ cmd: 'pubrec', messageId });
        return onMessage();
      case 'pubrec':
        return send({ cmd: 'pubrel', messageId });
      case 'pubrel':
        return send({ cmd: 'pubcomp', messageId });
      case 'puback':
      case 'pubcomp':
        return settle(messageId);
      default:
    }
  };
  const ask = (packet: Packet) =>
    new Promise<void>((resolve) => {
      told = resolve;
      send(packet);
    });
  return {
    async connect() {
      socket = await open(port);
      out = new Coalescer(socket);
      const reader = parser({ protocolVersion: 4 });
      reader.on('packet', receive);
      socket.on('data', (bytes: Buffer) => void reader.parse(bytes));
      await ask({ cmd: 'connect', clientId, keepalive: 0, clean: true, protocolId: 'MQTT', protocolVersion: 4 });
    },
    subscribe: (topic, qos) => ask({ cmd: 'subscribe', messageId: 65_535, subscriptions: [{ topic, qos }] }),
    publish(topic, payload, qos, done) {
      const packet = { cmd: 'publish', topic, payload, qos, retain: false, dup: false } as const;
      if (qos === 0) {
        send(packet);
        return whenWritten(socket, done);
      }
      lastId = (lastId % 60_000) + 1;
      dones.set(lastId, done);
      send({ ...packet, messageId: lastId });
    },
  };
}

/** Bytes that were encoded before, and of what comes only the first byte and the lengths looked at. */
export function bytesFloor({ port, clientId, onMessage }: Contact): Peer {
  let socket: Socket;
  let out: Coalescer;
  let told = () => {};
  let lastId = 0;
  let rest: Buffer = Buffer.alloc(0);
  const dones: Dones = new Map();
  const made = new Map<string, Buffer>();
  const idAt = new Map<Buffer, number>();

  const encoded = (topic: string, payload: Buffer, qos: QoS): Buffer => {
    const key = `${topic} ${qos} ${payload.length}`;
    let bytes = made.get(key);
    if (!bytes) {
      bytes = generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId: 1 });
      made.set(key, bytes);
      idAt.set(bytes, bytes.length - payload.length - 2);
    }
    return bytes;
  };

  const take = (bytes: Buffer, start: number, at: number): void => {
    const first = bytes[start]!;
    const type = first >> 4;
    if (type === 3) {
      const qos = (first >> 1) & 3;
      const id = at + 2 + bytes.readUInt16BE(at);
      if (qos > 0) out.write(Buffer.from([qos === 1 ? 0x40 : 0x50, 2, bytes[id]!, bytes[id + 1]!]));
      return onMessage();
    }
    if (type === 2 || type === 9) return told();
    const id = bytes.readUInt16BE(at);
    if (type === 5 || type === 6) {
      return out.write(Buffer.from([type === 5 ? 0x62 : 0x70, 2, id >> 8, id & 0xff]));
    }
    const done = dones.get(id);
    dones.delete(id);
    done?.();
  };

  const received = (chunk: Buffer): void => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    while (start + 2 <= bytes.length) {
      let at = start + 1;
      let remaining = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++]!;
        remaining |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
      }
      if (!(at + remaining <= bytes.length)) break; // A header that is cut short has no length at all.
      take(bytes, start, at);
      start = at + remaining;
    }
    rest = bytes.subarray(start);
  };

  const ask = (packet: Packet) =>
    new Promise<void>((resolve) => {
      told = resolve;
      out.write(generate(packet));
    });

  return {
    async connect() {
      writeToStream.cacheNumbers = false;
      socket = await open(port);
      out = new Coalescer(socket);
      socket.on('data', received);
      await ask({ cmd: 'connect', clientId, keepalive: 0, clean: true, protocolId: 'MQTT', protocolVersion: 4 });
      encoded(TOPIC.echo, Buffer.alloc(0), 0);
    },
    subscribe: (topic, qos) => ask({ cmd: 'subscribe', messageId: 65_535, subscriptions: [{ topic, qos }] }),
    publish(topic, payload, qos, done) {
      const bytes = encoded(topic, payload, qos);
      if (qos === 0) {
        out.write(bytes);
        return whenWritten(socket, done);
      }
      lastId = (lastId % 60_000) + 1;
      dones.set(lastId, done);
      const own = Buffer.from(bytes);
      own.writeUInt16BE(lastId, idAt.get(bytes)!);
      out.write(own);
    },
  };
}
