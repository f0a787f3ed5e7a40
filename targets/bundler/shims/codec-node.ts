// As codec.ts, for Node: small packets share memory, since an allocation costs more there than an encoding.

import { parser, writeToStream } from 'mqtt-packet';
import type { Read } from '../../../src/framing/codec.ts';
import type { Outgoing } from '../../../src/framing/packet.ts';
import { writeUtf8 } from '../../../src/utf8.ts';

const SLAB_SIZE = 16_384;
const MAX_SHARED = 4_096;

/** As writeUtf8, and faster for what most topics are made of. */
function writeText(text: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return writeUtf8(text, target, at);
    target[at + i] = code;
  }
  return at + text.length;
}

class Sink {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;

  /** Makes room for a packet. @returns where it begins */
  reserve(size: number): number {
    if (this.at + size > this.bytes.length) {
      this.bytes = new Uint8Array(size > MAX_SHARED ? size : SLAB_SIZE);
      this.at = 0;
    }
    return this.at;
  }

  write(part: Uint8Array | string | number): void {
    if (typeof part === 'number') {
      this.bytes[this.at++] = part;
    } else if (typeof part === 'string') {
      this.at = writeText(part, this.bytes, this.at);
    } else {
      this.bytes.set(part, this.at);
      this.at += part.length;
    }
  }
}

type Write = (packet: Outgoing, sink: Sink, remaining: number) => void;

const sink = new Sink();

export function write(packet: Outgoing, size: number, remaining: number): Uint8Array {
  const start = sink.reserve(size);
  (writeToStream as unknown as Write)(packet, sink, remaining);
  return sink.bytes.subarray(start, start + size);
}

export const reader = (): Read => parser as unknown as Read;
