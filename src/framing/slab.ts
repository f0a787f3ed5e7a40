// Memory for packets that are on their way out: small ones share it, since an allocation costs more than an encoding.

const SLAB_SIZE = 8_192;
const MAX_SHARED = 2_048;
/** More than so many bytes are not kept for later. */
const MAX_KEPT = 131_072;

const NOTHING = new Uint8Array(0);

export class Slab {
  bytes: Uint8Array = NOTHING;
  at = 0;
  private last: Uint8Array | undefined = undefined;

  /** Makes room for a packet, which is then written at `at`. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    this.bytes = new Uint8Array(size > MAX_SHARED ? size : SLAB_SIZE);
    this.at = 0;
    this.last = undefined;
  }

  /** The packet of so many bytes that ends here. */
  packet(size: number): Uint8Array {
    this.last = this.bytes.subarray(this.at - size, this.at);
    return this.last;
  }

  /** Nobody needs the bytes of a packet any more: where nothing follows it, the next one comes in its place. */
  reuse(packet: Uint8Array): void {
    if (packet !== this.last) return;
    this.last = undefined;
    this.at = packet.byteOffset;
    if (packet.length > MAX_KEPT) this.bytes = NOTHING;
  }
}
