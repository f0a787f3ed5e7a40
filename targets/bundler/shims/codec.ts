// Stands for src/framing/codec.ts: the specialised mqtt-packet speaks in the words of packet.ts by itself.

import { parser, writeToStream } from 'mqtt-packet';
import type { Read } from '../../../src/framing/codec.ts';
import type { Outgoing } from '../../../src/framing/packet.ts';
import { writeUtf8 } from '../../../src/utf8.ts';

/** Takes what mqtt-packet writes: single bytes, binary data and texts. */
class Sink {
  bytes: Uint8Array;
  at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  write(part: Uint8Array | string | number): void {
    if (typeof part === 'number') {
      this.bytes[this.at++] = part;
    } else if (typeof part === 'string') {
      this.at = writeUtf8(part, this.bytes, this.at);
    } else {
      this.bytes.set(part, this.at);
      this.at += part.length;
    }
  }
}

type Write = (packet: Outgoing, sink: Sink, remaining: number) => void;

export function write(packet: Outgoing, size: number, remaining: number): Uint8Array {
  const sink = new Sink(size);
  (writeToStream as unknown as Write)(packet, sink, remaining);
  return sink.bytes;
}

/** Each packet has memory of its own. */
export function reuse(): void {}

export const reader = (): Read => parser as unknown as Read;
