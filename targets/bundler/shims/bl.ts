// A buffer list that is one buffer: the framing hands mqtt-packet one whole packet at a time.

import { textOf } from '../../../src/utf8.ts';

class BufferList {
  bytes = new Uint8Array(0);
  length = 0;

  append(more: Uint8Array): void {
    if (this.length === 0) {
      this.bytes = more as Uint8Array<ArrayBuffer>;
    } else {
      const joined = new Uint8Array(this.length + more.length);
      joined.set(this.bytes);
      joined.set(more, this.length);
      this.bytes = joined;
    }
    this.length = this.bytes.length;
  }

  consume(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.length = this.bytes.length;
  }

  readUInt8(at: number): number {
    return this.bytes[at]!;
  }

  readUInt16BE(at: number): number {
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  slice(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start, end);
  }

  toString(_encoding: string, start: number, end: number): string {
    return textOf(this.bytes.subarray(start, end));
  }
}

export default (): BufferList => new BufferList();
