// A typed event emitter: synchronous, without a host's own.

import { mqttError } from '../error.ts';

interface Entry<Event> {
  readonly listener: (event: Event) => void;
  readonly observes: boolean;
}

export abstract class Emitter<Events> {
  private entries: { [Name in keyof Events]?: Entry<Events[Name]>[] } = {};

  /**
   * Adds a listener. Listeners are called in the order of their adding, at once.
   * @param observes it only looks on: for warnings it does not count as somebody who deals with them
   * @throws MqttError 'bad-option' when it is no function
   */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void, observes = false): void {
    if (typeof listener !== 'function')
      throw mqttError('bad-option', `the listener for ${String(name)} is no function`, { reason: 'listener' });
    // A new list, so that one that is being called is left alone.
    this.entries[name] = this.entriesOf(name).concat([{ listener, observes }]);
  }

  /** Removes a listener; unknown ones are ignored. */
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void {
    this.entries[name] = this.entriesOf(name).filter((it) => it.listener !== listener);
  }

  /**
   * Calls every listener. One that throws does not keep the others from being called: `failed` hears of it.
   * @param holds whether the event is still true, where a listener may have ended it
   */
  protected emit<Name extends keyof Events>(name: Name, event: Events[Name], holds?: () => boolean): void {
    for (const { listener } of this.entriesOf(name)) if (!holds || holds()) this.guard(listener, event);
  }

  /** Whether somebody deals with events of this name. */
  protected has(name: keyof Events): boolean {
    return this.entriesOf(name).some(({ observes }) => !observes);
  }

  /** @internal Calls what the app handed in, and survives it. @returns what it returned, undefined where it threw */
  guard<A, B, R>(call: (a: A, b: B) => R, a?: A, b?: B): R | undefined {
    try {
      return call(a as A, b as B);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** Something that the app handed in threw. Must not throw. */
  protected abstract failed(error: unknown): void;

  private entriesOf<Name extends keyof Events>(name: Name): Entry<Events[Name]>[] {
    return this.entries[name] ?? [];
  }
}
