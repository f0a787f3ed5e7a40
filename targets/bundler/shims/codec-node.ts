// As codec.ts, for Node, where packets share memory.

import { parser, writeToStream } from 'mqtt-packet';
import type { Read } from '../../../src/framing/codec.ts';
import type { Outgoing } from '../../../src/framing/packet.ts';
import { Slab } from '../../../src/framing/slab.ts';
import { writeUtf8 } from '../../../src/utf8.ts';

/** As writeUtf8, and faster for what most topics are made of. */
function writeText(text: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return writeUtf8(text, target, at);
    target[at + i] = code;
  }
  return at + text.length;
}

class Sink extends Slab {
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
  sink.reserve(size);
  (writeToStream as unknown as Write)(packet, sink, remaining);
  return sink.packet(size);
}

export const reuse = (packet: Uint8Array): void => sink.reuse(packet);

export const reader = (): Read => parser as unknown as Read;
