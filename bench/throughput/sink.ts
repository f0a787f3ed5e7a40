// The other end of every connection: a server that answers what it must and does no more, so that no broker is in a figure. What
// it sends is encoded before, and leaves in one piece for each piece that came.

import { createServer, type Socket } from 'node:net';
import { TOPIC, WINDOW } from './cases.ts';

const { sent, heard, echo, go, drop, again } = TOPIC;
/** So much is written at once when messages are asked for. */
const BATCH_BYTES = 65_536;

const ACK_TYPES: Readonly<Record<number, number>> = { 64: 0, 80: 0x62, 96: 0x70, 112: 0 };

/** A PUBLISH, by default to {@link TOPIC.heard}. Its packet identifier, where there is one, is at `idAt`. */
function publishBytes(qos: number, payload: Buffer, name: string = heard): { bytes: Buffer; idAt: number } {
  const topic = Buffer.from(name);
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.alloc(qos > 0 ? 2 : 0), payload]);
  const head = [0x30 | (qos << 1)];
  for (let left = body.length; left > 0; left >>= 7) head.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return { bytes: Buffer.concat([Buffer.from(head), body]), idAt: head.length + 2 + topic.length };
}

class Connection {
  readonly socket: Socket;
  /** What has come of a packet that is not here whole, as far as it matters. */
  rest = Buffer.alloc(0);
  /** Bytes of a payload that nobody looks at. */
  skip = 0;
  answers: number[] = [];
  /** Messages that were asked for and not sent, and those under way. */
  left = 0;
  underWay = 0;
  lastId = 0;
  qos = 0;
  template = publishBytes(0, Buffer.alloc(0));
  readonly echoed = new Map<number, Buffer>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.received(chunk));
    socket.on('drain', () => this.send());
    socket.on('error', () => {});
  }

  received(chunk: Buffer): void {
    let bytes = chunk;
    if (this.rest.length > 0) bytes = Buffer.concat([this.rest, chunk]);
    let at = Math.min(this.skip, bytes.length);
    this.skip -= at;
    while (at < bytes.length) {
      const next = this.packet(bytes, at);
      if (next < 0) break;
      at = Math.min(next, bytes.length);
      this.skip = next - at;
    }
    this.rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
    if (this.answers.length > 0) {
      this.socket.write(Buffer.from(this.answers));
      this.answers = [];
    }
    this.send();
  }

  /** @returns where the next packet begins, perhaps beyond the bytes; -1 when too little is here */
  packet(bytes: Buffer, start: number): number {
    let at = start + 1;
    let remaining = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length) return -1;
      const byte = bytes[at++]!;
      remaining |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const end = at + remaining;
    const type = bytes[start]! & 0xf0;
    // Of a PUBLISH to `sent` only topic and identifier matter; what else comes is short.
    const needed = type === 0x30 ? Math.min(end, at + 4 + sent.length) : end;
    if (needed > bytes.length) return -1;
    if (type === 0x30) return this.publish(bytes, start, at, end);
    const isAcknowledgement = ACK_TYPES[type];
    if (isAcknowledgement !== undefined) this.acknowledged(type, bytes[at]!, bytes[at + 1]!);
    else if (type === 0x10) this.answers.push(0x20, 2, 0, 0);
    else if (type === 0x80) this.subscribed(bytes, at, end);
    else if (type === 0xc0) this.answers.push(0xd0, 0);
    return end;
  }

  subscribed(bytes: Buffer, at: number, end: number): void {
    this.answers.push(0x90, 3, bytes[at]!, bytes[at + 1]!, bytes[end - 1]!);
    if (bytes.toString('latin1', at + 4, end - 1) === again)
      this.answers.push(...publishBytes(0, Buffer.alloc(1), again).bytes);
  }

  acknowledged(type: number, high: number, low: number): void {
    const answer = ACK_TYPES[type]!;
    if (answer > 0) this.answers.push(answer, 2, high, low);
    else this.underWay--;
  }

  publish(bytes: Buffer, start: number, at: number, end: number): number {
    const qos = (bytes[start]! >> 1) & 3;
    const topicEnd = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
    if (qos > 0) this.answers.push(qos === 1 ? 0x40 : 0x50, 2, bytes[topicEnd]!, bytes[topicEnd + 1]!);
    if (bytes[at + 1] === sent.length && bytes[at + 2] === sent.charCodeAt(0)) return end;
    if (end > bytes.length) return -1;
    const topic = bytes.toString('latin1', at + 2, topicEnd);
    const payload = bytes.subarray(topicEnd + (qos > 0 ? 2 : 0), end);
    if (topic === drop) this.socket.destroy();
    else if (topic === echo) this.socket.write(publishBytes(0, payload).bytes);
    else if (topic.startsWith(go)) this.begin(topic);
    return end;
  }

  begin(topic: string): void {
    const [, qos, size, count] = topic.split('/').map(Number);
    this.qos = qos!;
    this.left = count!;
    this.underWay = 0;
    this.template = publishBytes(qos!, Buffer.alloc(size!, 'x'));
  }

  /** As many messages as the socket and the window take. */
  send(): void {
    const { bytes: packet, idAt } = this.template;
    while (this.left > 0 && !this.socket.writableNeedDrain) {
      const room = this.qos > 0 ? WINDOW - this.underWay : this.left;
      const some = Math.min(room, this.left, Math.max(1, Math.floor(BATCH_BYTES / packet.length)));
      if (some <= 0) return;
      const batch = Buffer.allocUnsafe(some * packet.length);
      for (let index = 0; index < some; index++) {
        packet.copy(batch, index * packet.length);
        if (this.qos === 0) continue;
        this.lastId = this.lastId === 65_535 ? 1 : this.lastId + 1;
        batch.writeUInt16BE(this.lastId, index * packet.length + idAt);
      }
      this.left -= some;
      if (this.qos > 0) this.underWay += some;
      this.socket.write(batch);
    }
  }
}

const server = createServer((socket) => new Connection(socket));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit());
