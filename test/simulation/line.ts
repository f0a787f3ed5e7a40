// A network connection as the broker holds it, with what can go wrong on the way: cut at any byte, half-open, stalled.

import { mqttError } from '../../src/error.ts';
import type { MemoryPeer } from '../../src/memory.ts';
import type { World } from './world.ts';

/** Which direction a fault begins in, and what it does. */
type Fault = 'none' | 'cutUp' | 'cutDown' | 'silent' | 'silentUp' | 'silentDown';

const WEIGHTS: Readonly<Record<Fault, number>> = {
  none: 40,
  cutUp: 22,
  cutDown: 22,
  silent: 8,
  silentUp: 4,
  silentDown: 4,
};

/** Most bytes before a fault: a connection carries a few dozen packets. */
const MAX_BYTES = 600;

export class Line {
  open = true;
  /** Set by the broker. */
  onReceived: (bytes: Uint8Array) => void = () => {};
  onClosed: () => void = () => {};
  private readonly world: World;
  private readonly peer: MemoryPeer;
  private readonly fault: Fault;
  /** Bytes that still pass. */
  private up = Number.POSITIVE_INFINITY;
  private down = Number.POSITIVE_INFINITY;
  private snapped = false;

  constructor(world: World, peer: MemoryPeer) {
    this.world = world;
    this.peer = peer;
    this.fault = world.calm ? 'none' : world.random.weighted(WEIGHTS);
    const bytes = world.random.between(0, world.random.chance(0.3) ? 40 : MAX_BYTES);
    if (this.fault.endsWith('Down')) this.down = bytes;
    else if (this.fault !== 'none') this.up = bytes;
    peer.onReceived = (chunk) => this.arrive(chunk);
    peer.onClosed = () => this.end();
    if (world.unlucky(0.3)) world.later(world.random.between(0, 20_000), () => this.stall());
  }

  /** To the client. */
  send(bytes: Uint8Array): void {
    if (!this.open) return;
    const passes = bytes.subarray(0, this.room(this.down));
    this.down -= passes.length;
    if (passes.length > 0) this.peer.send(passes);
    if (passes.length < bytes.length) this.snap();
  }

  /** Closes in order: what was sent before arrives. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    // A close is like a byte: where nothing passes any more, it does not either.
    if (this.room(this.down) > 0) this.peer.close();
  }

  private arrive(bytes: Uint8Array): void {
    if (!this.open) return;
    const passes = bytes.subarray(0, this.room(this.up));
    this.up -= passes.length;
    if (passes.length > 0) this.onReceived(passes);
    if (passes.length < bytes.length) this.snap();
  }

  /** A fault that has not begun when the calm comes does not come any more. */
  private room(left: number): number {
    return this.world.calm && !this.snapped ? Number.POSITIVE_INFINITY : left;
  }

  private snap(): void {
    if (this.snapped) return;
    this.snapped = true;
    this.world.note(`line: ${this.fault}`);
    this.world.count(this.fault.startsWith('cut') ? 'connections cut' : 'connections half-open');
    if (this.fault === 'silent') this.down = 0;
    if (!this.fault.startsWith('cut')) return;
    this.peer.close(mqttError('tcp', 'cut', { reason: 'econnreset' }));
    if (this.world.random.chance(0.5))
      this.end(); // Else the broker never hears of it.
    else this.up = this.down = 0;
  }

  private end(): void {
    if (!this.open) return;
    this.open = false;
    this.onClosed();
  }

  private stall(): void {
    if (!this.open || this.world.calm) return;
    this.world.count('stalls');
    this.world.note('line: stalled');
    this.peer.allow(this.world.random.between(0, 60));
    this.world.later(this.world.random.delay(3_000, 20_000), () => this.peer.allow(Number.POSITIVE_INFINITY));
  }
}
