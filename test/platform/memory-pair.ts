// Two ends of a connection that needs no socket: what is written into one end is read from the other.
import { Duplex } from 'node:stream';

class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined;
  private release: (() => void) | undefined;
  private ended = false;

  constructor() {
    super({ allowHalfOpen: false });
  }

  /** Takes bytes from the peer, and lets it go on when there is room for more. */
  receive(chunk: Buffer, release: () => void): void {
    if (this.ended || this.destroyed) return release();
    if (this.push(chunk)) release();
    else this.release = release;
  }

  hangUp(): void {
    if (this.ended || this.destroyed) return;
    this.ended = true;
    this.push(null);
  }

  override _read(): void {
    const release = this.release;
    this.release = undefined;
    release?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A later turn, as with a socket: a handler must not run inside the call that wrote to it.
    setImmediate(() => (this.peer === undefined ? done() : this.peer.receive(chunk, done)));
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      this.peer?.hangUp();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read(); // a writer must not wait for a reader that is gone
    setImmediate(() => this.peer?.hangUp());
    done(error);
  }
}

export function memoryPair(): [Duplex, Duplex] {
  const near = new MemoryEnd();
  const far = new MemoryEnd();
  near.peer = far;
  far.peer = near;
  return [near, far];
}
