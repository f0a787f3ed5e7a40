// What is used of packages that bring no types.

declare module 'u8-mqtt' {
  import type { Duplex } from 'node:stream';

  interface U8Client {
    _use_conn(open: () => unknown): unknown;
    with_stream(stream: Duplex): U8Client;
    with_autoreconnect(options: { delay?: number }): U8Client;
    connect(packet: { client_id: string; keep_alive: number }): Promise<unknown>;
    log_conn: () => void;
    on_topic(filter: string, handler: () => void): U8Client;
    subscribe(topics: [filter: string, qos: number][]): Promise<unknown>;
    _send(type: 'publish', packet: { topic: string; payload: Uint8Array; qos: number }): Promise<unknown>;
    publish(packet: { topic: string; payload: Uint8Array; qos: number }): Promise<unknown>;
  }
  export default function mqtt_v4(options: { keep_alive: number }): U8Client;
}
