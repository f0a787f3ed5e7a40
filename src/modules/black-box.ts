// A ring of bytes that remembers the last things that happened to a client, to be read after a fault: eight bytes an entry, no
// texts, no topics, no secrets. The decoder is black-box-decoder.ts, which a device leaves out.

import type { Client } from '../client/client.ts';
import { mqttError } from '../error.ts';
import type { Instant } from '../time.ts';

/** A byte for a code or a state: a device need not carry the list of them. A test keeps those that there are apart. */
export function byteOf(code: string): number {
  let byte = 0;
  for (let i = 0; i < code.length; i++) byte = (byte * 31 + code.charCodeAt(i)) & 255;
  return byte;
}

/** Kinds of entries. */
export const Kind = Object.freeze({ Empty: 0, State: 1, Session: 2, Disconnected: 3, Warning: 4, Mark: 5 } as const);

export const ENTRY = 8;

export const NO_DETAIL = 65_535;

/** Below what stands for none. */
const clamp = (value: number): number => Math.min(NO_DETAIL - 1, Math.max(0, Math.floor(value)));

export class BlackBox {
  private readonly client: Client;
  private readonly ring: Uint8Array;
  /** Where the next entry goes. */
  private at = 0;

  /** @param bytes size of the ring, a multiple of 8 from 64 to 65,536; default 512 @throws MqttError 'bad-option' */
  constructor(client: Client, bytes = 512) {
    if (!(bytes >= 64 && bytes <= 65_536 && bytes % ENTRY === 0)) {
      throw mqttError('bad-option', 'bytes must be a multiple of 8, from 64 to 65536');
    }
    this.client = client;
    this.ring = new Uint8Array(bytes);
    client.on('state', (state) => this.note(Kind.State, byteOf(state), client.stats().inFlight), true);
    client.on('connected', ({ sessionPresent }) => this.note(Kind.Session, sessionPresent ? 1 : 0, 0), true);
    client.on(
      'disconnected',
      ({ code, error, retryInMillis }) => {
        const detail = error?.returnCode ?? (retryInMillis === undefined ? NO_DETAIL : clamp(retryInMillis / 100));
        this.note(Kind.Disconnected, byteOf(code), detail);
      },
      true,
    );
    client.on('warning', ({ code }) => this.note(Kind.Warning, byteOf(code), 0), true);
  }

  /** Leaves a mark of the app's own. @param code 0 to 255 @param detail 0 to 65,534; what is above is cut */
  mark(code: number, detail = 0): void {
    this.note(Kind.Mark, code & 255, clamp(detail));
  }

  /** A copy, oldest entry first, behind eight bytes that say when it was made. For `decodeBlackBox`. */
  dump(): Uint8Array {
    const { ring, at } = this;
    const bytes = new Uint8Array(ENTRY + ring.length);
    bytes.set([0x4d, 0x42, 1, 0]); // 'MB', version 1.
    putInstant(bytes, 4, this.client.now());
    bytes.set(ring.subarray(at), ENTRY);
    bytes.set(ring.subarray(0, at), ENTRY + ring.length - at);
    return bytes;
  }

  private note(kind: number, code: number, detail: number): void {
    const { ring, at } = this;
    putInstant(ring, at, this.client.now());
    ring.set([kind, code, detail >> 8, detail & 255], at + 4);
    this.at = (at + ENTRY) % ring.length;
  }
}

function putInstant(bytes: Uint8Array, at: number, instant: Instant): void {
  bytes[at] = instant >>> 24;
  bytes[at + 1] = instant >>> 16;
  bytes[at + 2] = instant >>> 8;
  bytes[at + 3] = instant;
}
