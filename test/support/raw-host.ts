// A host of raw sockets in memory and in virtual time: the five functions over a memory link, and the loop that calls back.

import { type MemoryAdapterOptions, memoryAdapter } from '../../src/memory.ts';
import { RawControl, RawEvent, type RawSocketAdapter, type RawSocketHost } from '../../src/raw-socket.ts';

type Transport = ReturnType<ReturnType<typeof memoryAdapter>['dial']>;

export class RawHost implements RawSocketHost {
  /** Where events go; set once the adapter is made. */
  adapter: RawSocketAdapter | undefined;
  /** What the timer was set to, each time. */
  readonly wakes: number[] = [];
  /** What was asked for, each time: `open 0`, `control 0 1`. */
  readonly asked: string[] = [];
  /** What is said of a connection that failed. */
  describe: (reason: string) => string = (reason) => `tcp:${reason}`;
  private readonly network: MemoryAdapterOptions;
  private readonly links = new Map<number, Transport>();
  private lastHandle = -1;
  private cancel = () => {};

  constructor(network: MemoryAdapterOptions) {
    this.network = network;
  }

  open(host: string, port: number): number {
    const handle = ++this.lastHandle;
    this.asked.push(`open ${handle}`);
    const tell = (kind: number, detail?: unknown) => this.adapter!.event(kind, handle, detail);
    const transport = memoryAdapter(this.network).dial(
      { host, port },
      {
        opened: () => tell(RawEvent.Opened),
        received: (bytes) => tell(RawEvent.Data, new Uint8Array(bytes).buffer),
        writable: () => tell(RawEvent.Writable),
        closed: (error) => {
          this.links.delete(handle);
          tell(RawEvent.Closed, error && this.describe(error.reason ?? ''));
        },
        warning: () => {},
      },
    );
    this.links.set(handle, transport);
    return handle;
  }

  send(handle: number, bytes: Uint8Array): number {
    return this.link(handle).write(bytes);
  }

  control(handle: number, command: number): void {
    this.asked.push(`control ${handle} ${command}`);
    const link = this.link(handle);
    if (command === RawControl.Pause) link.pause();
    else if (command === RawControl.Resume) link.resume();
    else if (command === RawControl.End) link.close();
    else {
      this.links.delete(handle);
      link.abort();
    }
  }

  now(): number {
    return this.network.time.now() + 0.75;
  }

  wake(millis: number): void {
    this.wakes.push(millis);
    this.cancel();
    if (millis >= 0) this.cancel = this.network.time.schedule(millis, () => this.adapter!.event(RawEvent.Wake, 0));
  }

  /** Connections that are not closed. */
  get size(): number {
    return this.links.size;
  }

  private link(handle: number): Transport {
    const link = this.links.get(handle);
    if (!link) throw new Error(`handle ${handle} is not in use`);
    return link;
  }
}
