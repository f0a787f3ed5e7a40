// The MQTT 3.1.1 client as a state machine without I/O: call any method, drain poll(), then read nextTimeout().
// It lives as long as the session does, over any number of network connections (section 4).

import { asMqttError, type MqttError, mqttError, unexpected } from '../error.ts';
import type { Framing } from '../framing/framing.ts';
import {
  type Acknowledgement,
  type Connack,
  type Connect,
  type Filter,
  type Incoming,
  type Message,
  type Outgoing,
  type PacketId,
  PacketType,
  type Publish,
  publishPacket,
  type QoS,
} from '../framing/packet.ts';
import type { Instant, Millis } from '../time.ts';
import type { Action } from './action.ts';
import type { ConnectFields, ConnectionOptions } from './connection-options.ts';
import { atLeastOnce, type Rules, State } from './delivery.ts';
import { Inbox } from './inbox.ts';
import { KeepAlive, Verdict } from './keep-alive.ts';
import { Outbox } from './outbox.ts';
import { lost, Requests, requestPacket } from './requests.ts';
import {
  type Machine,
  type Operation,
  type Publication,
  type ReceivedMessage,
  Session,
  type Subscription,
  type Unsubscription,
} from './session.ts';

export const Phase = Object.freeze({
  /** No network connection. */
  Closed: 0,
  AwaitingConnack: 1,
  Connected: 2,
  /** A close action was given out: nothing is read or sent any more [MQTT-3.14.4-2]. */
  Closing: 3,
} as const);

/** Actions that may wait to be polled before messages of QoS 0 have to wait elsewhere. */
const MAX_UNPOLLED = 32;

/** A message of QoS 0 settles behind its packet: what was not polled when the connection went was not written whole. */
const wasWritten = (operation: Operation): boolean => !('qos' in operation && operation.qos === 0);

/** What set-aside.ts does. */
export type Aside =
  | { readonly call: 'setAside'; readonly message: Publication; readonly now: Instant }
  | { readonly call: 'limitSending'; readonly limit: number };

export class Connection extends Session implements Machine {
  framing: Framing;
  rules: Rules;
  inbox: Inbox;
  outbox: Outbox;
  questions: Requests;
  maxInFlight: number;
  pingTimeout: Millis;
  keepAlive = new KeepAlive();
  phase: (typeof Phase)[keyof typeof Phase] = Phase.Closed;
  actions: Action[] = [];
  cleanSession = false;
  unread = false;
  /** Why the connection has to be closed, from when that is known until it is. */
  fault: MqttError | undefined = undefined;
  now: Instant = 0;
  /** Hears what is done by functions of set-aside.ts: a trace could not wrap those as it wraps methods. */
  overheard: ((aside: Aside) => void) | undefined = undefined;

  constructor(options: ConnectionOptions) {
    super();
    this.framing = options.framing;
    this.rules = options.delivery ?? atLeastOnce;
    this.inbox = new Inbox(this);
    this.outbox = new Outbox(this);
    this.questions = new Requests(this);
    this.maxInFlight = options.maxInFlight ?? 20;
    this.pingTimeout = options.pingTimeoutMillis ?? 20_000;
  }

  // Getters.

  /** The next thing to do, or undefined. Sending again after a reconnect happens here, one packet a call. */
  poll(): Action | undefined {
    const action = this.actions.shift();
    if (action || this.phase !== Phase.Connected) return action;
    const packet = this.outbox.next();
    return packet && { kind: 'transmit', bytes: this.serialise(packet) };
  }

  /** When timeout() wants to be called. */
  nextTimeout(): Instant | undefined {
    return this.phase === Phase.Connected ? this.keepAlive.next() : undefined;
  }

  /** Whether publish() takes a message of this QoS now. Until everything old was sent again, nothing new is [MQTT-4.6.0-1]. */
  canPublish(qos: QoS): boolean {
    if (this.phase !== Phase.Connected) return false;
    if (qos === 0) return this.outbox.isSent() && this.actions.length < MAX_UNPOLLED;
    return !this.outbox.isResending() && this.deliveries.length < this.maxInFlight && this.hasPacketId();
  }

  /** Whether request() takes this now: its filters may be too many for one packet, or every identifier in use. */
  canRequest(operation: Subscription | Unsubscription): boolean {
    return this.phase === Phase.Connected && this.hasPacketId() && this.framing.fits(requestPacket(operation, 0));
  }

  // What came in.

  /**
   * The network connection is open: sends CONNECT, the first packet on it [MQTT-3.1.0-1].
   * @throws MqttError 'bad-packet', 'bad-topic' or 'packet-too-large' when the fields are not legal
   */
  opened(fields: ConnectFields, now: Instant): void {
    const connect: Connect = { type: PacketType.Connect, ...fields };
    this.framing.check(connect);
    this.now = now;
    this.phase = Phase.AwaitingConnack;
    this.cleanSession = fields.cleanSession;
    this.framing.reset();
    this.keepAlive.start(fields.keepAliveSeconds, this.pingTimeout, now);
    this.send(connect);
  }

  input(bytes: Uint8Array, now: Instant): void {
    if (this.phase !== Phase.AwaitingConnack && this.phase !== Phase.Connected) return;
    this.now = now;
    this.keepAlive.received(now);
    try {
      this.framing.decode(bytes, (packet) => this.receive(packet));
    } catch (error) {
      this.fail(asMqttError(error)); // Also what a store threw.
    }
  }

  /** Early or repeated calls do nothing. */
  timeout(now: Instant): void {
    if (this.phase !== Phase.Connected) return;
    this.now = now;
    const verdict = this.keepAlive.check(now);
    if (verdict === Verdict.Idle) return;
    // An answer that is left unread proves nothing against the server.
    if (verdict === Verdict.Ping || this.unread)
      this.send({ type: PacketType.Pingreq }); // [MQTT-3.1.2-23]
    else this.fail(mqttError('pingresp-timeout', 'no answer to PINGREQ', { clause: '3.1.2.10' }));
  }

  /** The network connection is gone. What the session keeps is sent again on the next one. */
  closed(now: Instant): void {
    this.now = now;
    this.phase = Phase.Closed;
    this.fault = undefined;
    this.outbox.cursor = 0;
    const kept: Action[] = [];
    for (const it of this.actions) {
      if (it.kind === 'message') kept.push(it);
      else if (it.kind === 'settled') kept.push(wasWritten(it.operation) ? it : { ...it, error: lost() });
    }
    this.actions = kept; // Acknowledgements that were not written belong to the dead connection.
    this.inbox.lost();
    this.questions.lost();
  }

  // Commands.

  /** The driver reads no more, or again: meanwhile silence is no sign of a dead peer. */
  setUnread(unread: boolean): void {
    this.unread = unread;
  }

  /** Throws what a will like this would at CONNECT. */
  checkWill(will: Message): void {
    this.framing.check({ type: PacketType.Connect, clientId: '', cleanSession: true, keepAliveSeconds: 0, will });
  }

  /** Throws what publish() would, without publishing. @returns the packet, without an identifier */
  checkMessage(message: Message): Publish {
    const packet = publishPacket(message, 0);
    this.framing.check(packet);
    this.checkQos(message.qos);
    return packet;
  }

  /**
   * Sends a message. An identifier is given at the time of sending.
   * @returns the packet identifier, 0 for QoS 0
   * @throws MqttError 'bad-topic', 'bad-packet', 'packet-too-large', 'not-connected' or 'window-full', or what a store throws:
   * then nothing was taken
   */
  publish(message: Publication, now: Instant): PacketId {
    const packet = this.checkMessage(message);
    this.requireConnected();
    if (!this.canPublish(message.qos)) throw mqttError('window-full', 'no room in flight');
    this.now = now;
    if (message.qos > 0) return this.outbox.add(message);
    this.send(packet); // [MQTT-4.3.1-1]
    this.settle(message);
    return 0;
  }

  /** Throws what a subscription to this filter would. */
  checkFilter(filter: Filter): void {
    this.framing.check({ type: PacketType.Subscribe, packetId: 0, filters: [filter] });
    this.checkQos(filter.qos);
  }

  /**
   * Sends SUBSCRIBE, or UNSUBSCRIBE where the filters are bare strings.
   * @returns the packet identifier
   * @throws MqttError 'bad-filter', 'bad-packet', 'packet-too-large', 'not-connected' or 'window-full'
   */
  request(operation: Subscription | Unsubscription, now: Instant): PacketId {
    this.framing.check(requestPacket(operation, 0));
    this.requireConnected();
    this.now = now;
    const packet = this.questions.add(operation);
    this.send(packet);
    return packet.packetId;
  }

  /** The app is done with a message; the same object as the action gave. Unknown or repeated: nothing happens. */
  acknowledge(message: Message, now: Instant): void {
    this.now = now;
    if (this.inbox.handled(message) && this.phase === Phase.Connected) this.inbox.answerInTurn();
  }

  /** Says goodbye, so that the server drops the will [MQTT-3.14.4-3]; the close action follows [MQTT-3.14.4-1]. */
  disconnect(now: Instant): void {
    if (this.phase === Phase.Closed || this.phase === Phase.Closing) return;
    this.now = now;
    if (this.phase === Phase.Connected) this.send({ type: PacketType.Disconnect });
    this.phase = Phase.Closing;
    this.actions.push({ kind: 'close', error: undefined });
  }

  // Packets.

  receive(packet: Incoming): void {
    if (this.phase === Phase.Closing) return; // [MQTT-4.8.0-1]
    if (packet.type === PacketType.Connack) return this.receiveConnack(packet);
    if (this.phase !== Phase.Connected) return this.violation('the first packet was not CONNACK', 'MQTT-3.2.0-1');
    switch (packet.type) {
      case PacketType.Publish:
        return this.inbox.receive(packet);
      case PacketType.Suback:
      case PacketType.Unsuback:
        return this.questions.answered(packet);
      case PacketType.Pingresp:
        return this.keepAlive.answered(); // One that nobody asked for is tolerated [MQTT-3.12.4-1].
      case PacketType.Pubrel:
        return this.inbox.released(packet);
      default:
        return this.outbox.acknowledged(packet as Acknowledgement);
    }
  }

  receiveConnack({ returnCode, sessionPresent }: Connack): void {
    if (this.phase === Phase.Connected) return this.violation('a second CONNACK', '3.2');
    if (returnCode !== 0) {
      const details = { returnCode, clause: 'MQTT-3.2.2-5' };
      return this.fail(mqttError('refused', `the server refused the connection, code ${returnCode}`, details));
    }
    if (sessionPresent && this.cleanSession) {
      return this.violation('Session Present after Clean Session', 'MQTT-3.2.2-1');
    }
    this.phase = Phase.Connected;
    this.actions.push({ kind: 'connected', sessionPresent });
    if (sessionPresent) return; // [MQTT-3.2.2-2]
    this.inbox.forget(); // [MQTT-3.1.2-6] [MQTT-3.2.2-3]
    this.outbox.renew();
  }

  // Sending.

  send(packet: Outgoing): void {
    this.actions.push({ kind: 'transmit', bytes: this.serialise(packet) });
  }

  serialise(packet: Outgoing): Uint8Array {
    const bytes = this.framing.encode(packet);
    this.keepAlive.sent(packet.type, this.now);
    return bytes;
  }

  settle(operation: Operation, error?: MqttError, granted?: readonly number[]): void {
    this.actions.push({ kind: 'settled', operation, granted, error });
  }

  // What the inbox and the outbox ask for.

  transmit(type: 4 | 5 | 6 | 7, packetId: PacketId): void {
    this.send({ type, packetId });
  }

  deliver(message: ReceivedMessage): void {
    this.actions.push({ kind: 'message', message });
  }

  // Refusals.

  fail(error: MqttError): void {
    if (this.phase === Phase.Closing) return;
    this.phase = Phase.Closing;
    this.fault = error;
    this.actions.push({ kind: 'close', error });
  }

  violation(message: string, clause: string): void {
    this.fail(unexpected(message, clause));
  }

  requireConnected(): void {
    if (this.phase !== Phase.Connected) throw mqttError('not-connected', 'there is no connection');
  }

  checkQos(qos: QoS): void {
    if (qos < 2 || this.rules[State.AwaitingPubrec]) return;
    throw mqttError('bad-packet', 'QoS 2 needs the option delivery: exactlyOnce', { clause: '4.3.3' });
  }
}
