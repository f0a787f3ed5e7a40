// TLSSocket of Moddable without its ciphers: the same states, limits and faults, over records that anybody can read.

import type { Ecma419TcpBelow, Ecma419TlsSocketOptions } from '../../src/ecma419.ts';
import { concat, type FakeHost, type FarEnd } from './ecma419.ts';

const ChangeCipherSpec = 20;
const Alert = 21;
const Handshake = 22;
const Data = 23;

const MAX_RECORD = 16_384;

/** What a record of a block cipher takes beside its content, at most, the header included. */
const OVERHEAD = 69;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (it) => it.charCodeAt(0));

function record(type: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, 3, 3, content.length >> 8, content.length & 255), content);
}

/** What a server sends. */
export const serverSays = Object.freeze({
  certificate: (text = 'good') => record(Handshake, ascii(`certificate ${text}`)),
  finished: () => record(Handshake, ascii('finished')),
  /** In ciphers' place: a record that the device cannot authenticate. */
  forged: () => record(Data, ascii('forged')),
  data: (content: Uint8Array) => record(Data, content),
  alert: (description: number) => record(Alert, Uint8Array.of(2, description)),
});

/** What the device has sent, record by record: `22 hello`, `23 5 bytes`. */
export function recordsOf({ received }: FarEnd): { type: number; content: Uint8Array }[] {
  const records = [];
  for (let at = 0; at < received.length; ) {
    const end = at + 5 + received[at + 3]! * 256 + received[at + 4]!;
    records.push({ type: received[at]!, content: received.slice(at + 5, end) });
    at = end;
  }
  return records;
}

/** What the device has sent as data, without the padding of records. */
export const dataOf = (peer: FarEnd): Uint8Array =>
  recordsOf(peer)
    .filter((it) => it.type === Data)
    .map((it) => it.content.subarray(OVERHEAD - 5))
    .reduce(concat, new Uint8Array(0));

export function tlsSocketOf(host: FakeHost) {
  return class FakeTlsSocket {
    static readonly made: Ecma419TlsSocketOptions[] = [];
    private socket: Ecma419TcpBelow | undefined;
    private ready = false;
    private encrypts = false;
    private alerted = false;
    private said = false;
    private certified = false;
    private finished = false;
    private data: Uint8Array | undefined = undefined;
    private packet: Uint8Array = new Uint8Array(0);
    private timer: object | undefined = undefined;
    private readonly callbacks: Pick<Ecma419TlsSocketOptions, 'onReadable' | 'onWritable' | 'onError'>;

    constructor(options: Ecma419TlsSocketOptions) {
      FakeTlsSocket.made.push(options);
      const { onReadable, onWritable, onError } = options;
      const { certificate } = options.secure as { certificate?: Uint8Array };
      if (certificate && new Uint8Array(certificate)[4] === 0xee) throw new Error('date validation failed');
      this.callbacks = { onReadable, onWritable, onError };
      this.socket = new options.TCP.io({
        ...options,
        onReadable: (count) => this.onReadable(count),
        onWritable: (count) => this.onWritable(count),
        onError: () => this.callbacks.onError(),
      });
      this.socket.readable = 0;
      this.socket.writable = 0;
    }

    close(): void {
      this.socket?.close();
      host.Timer.clear(this.timer);
      this.socket = undefined;
    }

    read(): ArrayBuffer | undefined {
      const { data } = this;
      if (!data) return undefined;
      this.data = undefined;
      if (this.socket!.readable > 0) {
        this.timer ??= host.Timer.set(() => {
          this.timer = undefined;
          if (this.socket!.readable > 0) this.onReadable(this.socket!.readable);
        }, 0);
      }
      return data.slice().buffer;
    }

    write(bytes: Uint8Array): number {
      if (bytes.byteLength > MAX_RECORD) throw new Error('too large');
      this.send(Data, concat(new Uint8Array(OVERHEAD - 5), bytes));
      return Math.max(0, this.socket!.writable - 32);
    }

    private send(type: number, content: Uint8Array): void {
      this.socket!.writable = this.socket!.write(record(type, content)) as number;
    }

    private onWritable(count: number): void {
      this.socket!.writable = count;
      if (!this.ready) this.handle(false);
      else if (count > 96) this.callbacks.onWritable(count - 96);
    }

    private onReadable(count: number): void {
      this.socket!.readable = count;
      if (this.data) return;
      this.handle(true);
      if (!this.ready) this.handle(false);
    }

    private handle(read: boolean): void {
      if (!this.ready) {
        if (this.shakesHands()) {
          this.ready = true;
          this.onWritable(this.socket!.writable);
        }
        if (read) this.readRecord(this.socket!);
        return;
      }
      const data = this.readRecord(this.socket!);
      if (data === null) return this.callbacks.onError();
      if (!data || data.length === 0) return;
      this.data = data;
      this.callbacks.onReadable(data.length);
    }

    /** One step of the handshake. @returns whether it is over, which an alert ends as well */
    private shakesHands(): boolean {
      if (!this.said) this.send(Handshake, ascii('hello'));
      this.said = true;
      this.nextRecord(this.socket!);
      if (this.certified && !this.encrypts) {
        this.send(ChangeCipherSpec, Uint8Array.of(1));
        this.send(Handshake, ascii('finished'));
        this.encrypts = true;
      }
      return this.alerted || (this.encrypts && this.finished);
    }

    private readRecord(socket: Ecma419TcpBelow): Uint8Array | null | undefined {
      while (socket.readable > 0) {
        const found = this.nextRecord(socket);
        if (!found) return undefined;
        if (this.alerted) return null;
        if (found.type !== Data) continue;
        if (String.fromCharCode(...found.content) === 'forged') throw new Error('recordProtocol: auth failed');
        return found.content;
      }
      return undefined;
    }

    private hear(text: string): void {
      if (text === 'finished') this.finished = true;
      else if (text === 'certificate good') this.certified = true;
      else throw new Error(text.slice('certificate '.length));
    }

    private nextRecord(socket: Ecma419TcpBelow): { type: number; content: Uint8Array } | undefined {
      for (;;) {
        const { packet } = this;
        const length = packet.length < 5 ? 5 : 5 + packet[3]! * 256 + packet[4]!;
        if (packet.length >= 5 && packet.length === length) break;
        const need = Math.min(length - packet.length, socket.readable);
        if (need === 0) return undefined;
        const part = new Uint8Array(need);
        socket.read(part);
        socket.readable -= need;
        this.packet = concat(packet, part);
      }
      const [type] = this.packet;
      const content = this.packet.slice(5);
      this.packet = new Uint8Array(0);
      if (type === Alert && content[1] !== 0) throw new Error(`alert: ${content[0]}, ${content[1]}`);
      if (type === Alert) this.alerted = true;
      if (type === Handshake) this.hear(String.fromCharCode(...content));
      return { type: type!, content };
    }
  };
}
