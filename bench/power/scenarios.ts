// What devices do all day, as far as power is concerned.

export interface Scenario {
  readonly name: string;
  /** The device publishes every so many seconds; 0 for never. */
  readonly publishEvery: number;
  readonly qos: 0 | 1;
  /** The server publishes to it every so many seconds, QoS 0; 0 for never. */
  readonly hearEvery: number;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'idle', publishEvery: 0, qos: 0, hearEvery: 0 },
  { name: 'publishes every 61 s, QoS 1', publishEvery: 61, qos: 1, hearEvery: 0 },
  { name: 'publishes every 613 s, QoS 0', publishEvery: 613, qos: 0, hearEvery: 0 },
  { name: 'only sends: every 23 s, QoS 0', publishEvery: 23, qos: 0, hearEvery: 0 },
  { name: 'only hears: every 23 s, QoS 0', publishEvery: 0, qos: 0, hearEvery: 23 },
];

export const KEEP_ALIVE_SECONDS = 300;
/** Of the variant that lets pings leave early: longer than the period of the device that only sends. */
export const SLACK_MILLIS = 30_000;
/** One way. */
export const LATENCY_MILLIS = 50;
/** Counted from here on, for a day: what connecting takes is not of interest. */
export const SETTLED_MILLIS = 600_000;
export const DAY_MILLIS = 86_400_000;
