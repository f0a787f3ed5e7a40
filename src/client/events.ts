// A typed event emitter: synchronous, without a host's own.

export class Emitter<Events> {
  private listeners: { [Name in keyof Events]?: ((event: Events[Name]) => void)[] } = {};

  /** Adds a listener. Listeners are called in the order of their adding, at once. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void {
    // A new list, so that one that is being called is left alone.
    this.listeners[name] = (this.listeners[name] ?? []).concat([listener]);
  }

  /** Removes a listener; unknown ones are ignored. */
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void {
    this.listeners[name] = (this.listeners[name] ?? []).filter((it) => it !== listener);
  }

  /** Calls every listener. One that throws does not keep the others from being called: `failed` hears of it. */
  protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.listeners[name] ?? []) this.guard(listener, event);
  }

  protected has(name: keyof Events): boolean {
    return (this.listeners[name] ?? []).length > 0;
  }

  /** Calls what the app handed in, and survives it. @returns what it returned, undefined where it threw */
  protected guard<A, B>(call: (a: A, b: B) => unknown, a: A, b?: B): unknown {
    try {
      return call(a, b as B);
    } catch (error) {
      return this.failed(error);
    }
  }

  /** Something that the app handed in threw. */
  protected failed(error: unknown): void {
    throw error;
  }
}
