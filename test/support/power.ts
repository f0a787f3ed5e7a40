// A device whose power can be cut at any of its steps: each touch between it and the world is one.

import type { KeyValueStore } from '../../src/enrolment.ts';
import type { Adapter, Transport } from '../../src/index.ts';

/** What a write leaves behind when the power goes in the middle of it. */
export type Torn = 'nothing' | 'half' | 'all';

export class Power {
  /** Steps so far. */
  steps = 0;
  isOn = true;
  private readonly cutAt: number;
  private readonly torn: Torn;
  private transports: Transport[] = [];

  /** @param cutAt the step that is not completed, from 1 */
  constructor(cutAt: number, torn: Torn = 'nothing') {
    this.cutAt = cutAt;
    this.torn = torn;
  }

  /** One step; false where there is no power for it. */
  step(): boolean {
    if (this.isOn && ++this.steps >= this.cutAt) this.cut();
    return this.isOn;
  }

  /** Nothing that the device does from now on has any effect. */
  private cut(): void {
    this.isOn = false;
    for (const it of this.transports) it.abort();
  }

  store(flash: KeyValueStore): KeyValueStore {
    return {
      get: (key) => flash.get(key),
      put: (key, record) => {
        const wasOn = this.isOn;
        if (this.step()) flash.put(key, record);
        else if (wasOn && this.torn !== 'nothing') {
          flash.put(key, this.torn === 'all' ? record : record.slice(0, record.length >> 1));
        }
      },
      remove: (key) => {
        if (this.step()) flash.remove(key);
      },
    };
  }

  adapter(inner: Adapter): Adapter {
    return {
      ...inner,
      alarm: (ring) => inner.alarm(() => this.isOn && ring()),
      dial: (endpoint, events) => {
        if (!this.step()) return DEAD;
        const transport = inner.dial(endpoint, {
          opened: () => this.step() && events.opened(),
          received: (bytes) => this.step() && events.received(bytes),
          writable: () => this.isOn && events.writable(),
          closed: (error) => this.step() && events.closed(error),
          warning: (warning) => this.isOn && events.warning(warning),
        });
        this.transports.push(transport);
        return {
          write: (bytes) => (this.step() ? transport.write(bytes) : bytes.length),
          pause: () => transport.pause(),
          resume: () => transport.resume(),
          close: () => transport.close(),
          abort: () => transport.abort(),
        };
      },
    };
  }
}

const DEAD: Transport = { write: (bytes) => bytes.length, pause() {}, resume() {}, close() {}, abort() {} };
