// Publishes through aedes one message at a time.
// aedes drops a message whose counter is below the last one a client was given, and a QoS 1 message takes longer on
// its way than the QoS 0 message that follows it; in a queue none can overtake another.
import type { Aedes } from 'aedes';
import type { QoS } from 'mqtt-packet';

export interface Message {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: QoS;
  readonly retain?: boolean;
}

export class Router {
  private readonly broker: Aedes;
  private tail: Promise<void> = Promise.resolve();

  constructor(broker: Aedes) {
    this.broker = broker;
  }

  /** Resolves when every subscriber that is online has been sent the message. */
  publish(message: Message): Promise<void> {
    const { topic, qos, retain = false } = message;
    const packet = { cmd: 'publish' as const, topic, payload: Buffer.from(message.payload), qos, retain, dup: false };
    this.tail = this.tail.then(() => new Promise((resolve) => this.broker.publish(packet, () => resolve())));
    return this.tail;
  }
}
