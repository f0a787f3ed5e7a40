// A server that does what a test tells it: reads the client's packets with mqtt-packet, sends whatever it is given.

import { generate, type Packet, parser } from 'mqtt-packet';
import type { MemoryPeer } from '../../src/memory.ts';

export class ScriptedServer {
  /** Every connection so far, in order. */
  readonly connections: ServerConnection[] = [];
  /** Answers a packet; set by the test. The default accepts CONNECT without a session and answers pings. */
  respond: (packet: Packet, connection: ServerConnection) => void = politely;
  /** Whether connections are taken at all. */
  listening = true;

  accept = (peer: MemoryPeer): boolean => {
    if (!this.listening) return false;
    this.connections.push(new ServerConnection(this, peer));
    return true;
  };

  /** The newest connection. */
  get current(): ServerConnection {
    const newest = this.connections.at(-1);
    if (!newest) throw new Error('no connection yet');
    return newest;
  }
}

export class ServerConnection {
  readonly peer: MemoryPeer;
  /** Every packet of the client, in order. */
  readonly received: Packet[] = [];
  /** Every byte of the client. */
  bytes: Buffer = Buffer.alloc(0);
  /** The client has closed. */
  closed = false;

  constructor(server: ScriptedServer, peer: MemoryPeer) {
    this.peer = peer;
    const reader = parser({ protocolVersion: 4 });
    reader.on('packet', (packet) => {
      this.received.push(packet);
      server.respond(packet, this);
    });
    reader.on('error', (error) => {
      throw error; // A client that sends what mqtt-packet cannot read fails its test.
    });
    peer.onReceived = (bytes) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      reader.parse(Buffer.from(bytes));
    };
    peer.onClosed = () => {
      this.closed = true;
    };
  }

  /** Sends a packet, or bytes as they are. */
  send(packet: Packet | Uint8Array): void {
    this.peer.send(packet instanceof Uint8Array ? packet : generate(packet));
  }

  /** The received packets of one kind. */
  of<Command extends Packet['cmd']>(cmd: Command): Extract<Packet, { cmd: Command }>[] {
    return this.received.filter((it) => it.cmd === cmd) as Extract<Packet, { cmd: Command }>[];
  }
}

/** Accepts CONNECT, answers pings, and acknowledges nothing. */
export function politely(packet: Packet, connection: ServerConnection): void {
  if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  if (packet.cmd === 'pingreq') connection.send({ cmd: 'pingresp' });
}

/** As {@link politely}, and acknowledges everything; grants what is asked for. */
export function obligingly(packet: Packet, connection: ServerConnection): void {
  politely(packet, connection);
  const { messageId = 0 } = packet;
  switch (packet.cmd) {
    case 'publish':
      if (packet.qos === 1) connection.send({ cmd: 'puback', messageId });
      if (packet.qos === 2) connection.send({ cmd: 'pubrec', messageId });
      break;
    case 'pubrel':
      connection.send({ cmd: 'pubcomp', messageId });
      break;
    case 'subscribe':
      connection.send({ cmd: 'suback', messageId, granted: packet.subscriptions.map((it) => it.qos) });
      break;
    case 'unsubscribe':
      connection.send({ cmd: 'unsuback', messageId, granted: [] });
      break;
  }
}
