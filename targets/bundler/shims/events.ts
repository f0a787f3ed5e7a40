// An emitter with one listener for each event, as the framing uses mqtt-packet's parser.

export class EventEmitter {
  listeners: Record<string, (value: unknown) => void> = {};

  on(name: string, listener: (value: unknown) => void): void {
    this.listeners[name] = listener;
  }

  emit(name: string, value: unknown): void {
    this.listeners[name]?.(value);
  }
}
