// What is measured of each contender: messages out and in, one after another, and to and fro.

import type { QoS } from '../peers/peer.ts';

export type Way = 'out' | 'in' | 'echo';

export interface Case {
  readonly name: string;
  readonly way: Way;
  readonly qos: QoS;
  /** Of the payload, in bytes. */
  readonly size: number;
  /** Messages that may be under way at once. */
  readonly window: number;
  /** Messages in a pass. */
  readonly count: number;
}

/** Cases of one kind are measured in one process, from small to large. */
export const kindOf = ({ way, qos, window }: Case): string => `${way} ${qos} ${window}`;

/** What the sink may have under way as well. */
export const WINDOW = 100;
export const SIZES = [32, 1_024, 65_536] as const;
const QOS = [0, 1, 2] as const;

/** 32 B, 1 KB, 64 KB. */
export const sizeName = (size: number): string => (size < 1_024 ? `${size} B` : `${size / 1_024} KB`);

const countOf = (size: number, qos: QoS): number => (size > 10_000 ? 300 : qos === 0 ? 16_000 : 2_000);

const streams = (['out', 'in'] as const).flatMap((way) =>
  QOS.flatMap((qos) =>
    SIZES.map(
      (size): Case => ({
        name: `QoS ${qos} ${way}, ${sizeName(size)}`,
        way,
        qos,
        size,
        window: WINDOW,
        count: countOf(size, qos),
      }),
    ),
  ),
);

export const CASES: readonly Case[] = [
  ...streams,
  { name: 'QoS 1 out, 32 B, window 1', way: 'out', qos: 1, size: 32, window: 1, count: 2_000 },
  { name: 'echo, 32 B', way: 'echo', qos: 0, size: 32, window: 1, count: 2_000 },
];

/** Of these the bytes allocated per message are counted. */
export const allocates = ({ size, window }: Case): boolean => size === SIZES[0] && window === WINDOW;

/** Topics by which a client tells the sink what it wants; the sink's messages come on one topic. */
export const TOPIC = Object.freeze({
  /** Where messages to the sink go. */
  sent: 'device/telemetry/sensor-7',
  /** Where the sink's messages come from. */
  heard: 'device/commands/sensor-7',
  /** A message to this topic comes back. */
  echo: 'echo',
  /** After a message to this topic the sink drops the connection; who subscribes to the other is sent a message. */
  drop: 'drop',
  again: 'again',
  /** Asks for messages: `go/<QoS>/<size>/<count>`. */
  go: 'go/',
});
