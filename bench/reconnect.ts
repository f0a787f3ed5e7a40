// Reconnect: what a server sees of a thousand clients that are dropped at once, and what coming back costs one of them.

import { buildMote } from './peers/build-mote.ts';
import { type Arrivals, CROWD, LATENCY_MILLIS } from './reconnect/arrivals.ts';
import { crowd } from './reconnect/crowd.ts';
import { exactReconnect } from './reconnect/exact.ts';
import type { Bench, Findings, Progress, Table } from './runner/bench.ts';
import { bars } from './runner/charts.ts';
import type { Exact } from './runner/exact.ts';
import { digits } from './runner/format.ts';
import { goalTable } from './runner/goals.ts';
import { buildProgram, runProgram, type Sample } from './runner/programs.ts';
import { interleave } from './runner/rounds.ts';
import { MQTTJS, OURS } from './throughput/contenders.ts';
import { startSink } from './throughput/start-sink.ts';

const WITHOUT = 'mqtt-mote without jitter';
const PEERS = ['MQTT.js', 'u8-mqtt', 'mqtts'];
/** Who subscribes again without the app's help. */
const FAITHFUL = [OURS, MQTTJS];
const ROUNDS = 5;

interface Measured {
  readonly peers: Readonly<Record<string, Sample>>;
  readonly cycles: Readonly<Record<string, Sample>>;
}

async function measure(progress: Progress, quick: boolean): Promise<Findings> {
  const program = await buildProgram('reconnect/crowd-program.ts');
  const peers: Record<string, Sample> = {};
  for (const name of quick ? PEERS.slice(0, 1) : PEERS) {
    progress(`${CROWD} clients: ${name}`);
    peers[name] = await runProgram(program, [name]);
  }
  await buildMote();
  const cycle = await buildProgram('reconnect/cycle-program.ts');
  const sink = await startSink();
  try {
    const run = (name: string) => runProgram(cycle, [name, String(sink.port)]);
    const cycles = await interleave(FAITHFUL, quick ? 1 : ROUNDS, run, progress);
    return findings({ [OURS]: crowd(true), [WITHOUT]: crowd(false) }, { peers, cycles });
  } finally {
    sink.stop();
  }
}

function findings(ours: Readonly<Record<string, Arrivals>>, measured: Measured): Findings {
  const all = Object.entries({ ...ours, ...measured.peers } as Record<string, Sample>);
  const arrivals: Table = {
    title: `${CROWD.toLocaleString('en-US')} clients dropped at once`,
    columns: ['', 'dials in the worst 100 ms', 'in the worst second', 'all are back after, s'],
    rows: all.map(([name, { in100Millis, inSecond, allBackMillis }]) => [
      name,
      digits(in100Millis!),
      digits(inSecond!),
      allBackMillis! > 0 ? digits(allBackMillis! / 1_000) : 'not within two minutes',
    ]),
  };
  const { [OURS]: mote, [MQTTJS]: peer } = measured.cycles;
  const cycles: Table = {
    title: 'From a drop until subscribed again, one client, with a delay of 20 ms',
    columns: ['', 'CPU, µs', 'time, ms'],
    rows: FAITHFUL.map((name) => {
      const { cpu, millis } = measured.cycles[name]!;
      return [name, digits(cpu!), digits(millis!)];
    }),
  };
  const goals = goalTable([
    { what: 'CPU of a reconnect, beside MQTT.js', unit: '×', value: mote!.cpu! / peer!.cpu!, most: 0.75 },
  ]);
  return {
    tables: [arrivals, cycles, goals],
    shown: [arrivals],
    charts: [
      {
        name: 'arrivals',
        title: 'Dials in the worst 100 ms after a thousand clients were dropped',
        spec: bars(
          all.map(([name, { in100Millis }]) => ({
            name,
            what: 'dials in the worst 100 ms',
            in100Millis: in100Millis!,
          })),
          { field: 'in100Millis', title: 'dials' },
          { field: 'name', values: all.map(([name]) => name) },
          { field: 'what', values: ['dials in the worst 100 ms'] },
        ),
      },
    ],
    notes: [
      `The crowd lives in virtual time, ${LATENCY_MILLIS} ms to the server and as much back; every client as it is by default, peers under fake timers. Ours is the same in every run.`,
      'With jitter a client waits for anything up to 2 s before its first dial; without it, as here by a host whose randomness is stuck, all wait for as long.',
      'MQTT.js dials again after one second, always. u8-mqtt and mqtts connect again and do not subscribe again: that is left to the app, so one client of theirs is not timed. paho keeps one WebSocket for all of a page, and has no crowd.',
      'One client: a server on this machine drops it as soon as it asks for that, and greets it after SUBSCRIBE. Both wait for 20 ms, below which mqtt-mote never dials again.',
    ],
    measured,
  };
}

const split = (exact: Exact): Record<string, Arrivals> => {
  const of = (kind: string) =>
    Object.fromEntries(
      ['in100Millis', 'inSecond', 'allBackMillis'].map((name) => [name, exact[`${kind}: ${name}`]!]),
    ) as unknown as Arrivals;
  return { [OURS]: of('jitter'), [WITHOUT]: of('no jitter') };
};

export const bench: Bench = {
  about: 'a thousand clients dropped at once, and what a reconnect costs',
  exact: exactReconnect,
  measure,
  restate: async (exact, measured: never) => findings(split(exact), measured),
};
