// Footprint: bytes, what an installation takes, import, memory of connections, heap of small engines; beside the peers.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Bytes, esbuildBytes } from './footprint/bytes.ts';
import { APPS, bundled, exactFootprint } from './footprint/exact.ts';
import { installations, installPacked } from './footprint/install.ts';
import { quietServer } from './footprint/server.ts';
import { footprintFindings, type Idle, type Load, type Measured, type Modules } from './footprint/tables.ts';
import type { Bench, Findings, Progress } from './runner/bench.ts';
import type { Exact } from './runner/exact.ts';
import { buildProgram, type Program, runProgram } from './runner/programs.ts';
import { interleave } from './runner/rounds.ts';

const PEER_APPS = {
  'mqtt-mote, by esbuild alone': 'mqtt-mote',
  'MQTT.js': 'mqttjs',
  'u8-mqtt': 'u8-mqtt',
  mqtts: 'mqtts',
  paho: 'paho',
};

/** What a process imports. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  'node:net': ['node:net'],
  'node:net, node:tls': ['node:net', 'node:tls'],
  'mqtt-mote': ['mqtt-mote', 'mqtt-mote/node'],
  'mqtt-mote/bundled': ['mqtt-mote/bundled'],
  'MQTT.js': ['mqtt'],
  'u8-mqtt': ['u8-mqtt'],
  mqtts: ['mqtts'],
  paho: ['paho-mqtt'],
};

const OURS = ['mqtt-mote', 'mqtt-mote/bundled'];
const PEERS = ['MQTT.js', 'u8-mqtt', 'mqtts', 'paho'];
const CLIENTS = [...OURS, ...PEERS, 'a bare socket'];
/** Peers at 10,000 take as many gigabytes as there may not be. */
const CROWD = [...OURS, 'a bare socket'];

const MANY = 1_000;
const VERY_MANY = 10_000;
/** MB of --max-old-space-size that are tried. */
const LEAST_SPACE = 3;
const MOST_SPACE = 24;

/** @param home where `mqtt-mote` is found by name */
async function peerBytes(home: string): Promise<Record<string, Bytes>> {
  const bytes: Record<string, Bytes> = {};
  for (const [name, app] of Object.entries(PEER_APPS)) {
    const entry = join(import.meta.dirname, 'footprint', 'apps', `${app}.ts`);
    bytes[name] = await esbuildBytes(entry, 'bundle', [join(home, 'node_modules')]);
  }
  return bytes;
}

/** Whether a program ends well with so little memory. One that does not says a lot. */
function survives({ file }: Program, args: readonly string[], megabytes: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`--max-old-space-size=${megabytes}`, file, ...args], { stdio: 'ignore' });
    child.on('close', (code) => resolve(code === 0));
  });
}

async function smallestSpace(program: Program, name: string, port: number): Promise<number> {
  for (let megabytes = LEAST_SPACE; megabytes < MOST_SPACE; megabytes++) {
    if (await survives(program, [name, String(port)], megabytes)) return megabytes;
  }
  return MOST_SPACE;
}

async function measureAll(progress: Progress, quick: boolean): Promise<Measured> {
  progress('packing');
  const home = installPacked();
  const load = await buildProgram('footprint/load.ts', home);
  const idle = await buildProgram('footprint/idle.ts', home);
  const publish = await buildProgram('footprint/publish.ts', home);
  const server = await quietServer();
  const { port } = server;
  const loads = await interleave(
    Object.keys(IMPORTS),
    quick ? 1 : 11,
    (name) => runProgram(load, IMPORTS[name]!),
    (doing) => progress(`importing, ${doing}`),
  );
  const connected = (clients: readonly string[], count: number, rounds: number) =>
    interleave(
      clients,
      quick ? 1 : rounds,
      (name) => runProgram(idle, [name, String(count), String(port)], ['--expose-gc']),
      (doing) => progress(`${count.toLocaleString('en-US')} connections, ${doing}`),
    );
  const many = quick ? 20 : MANY;
  const veryMany = quick ? 50 : VERY_MANY;
  const clients = await connected(CLIENTS, many, 3);
  const crowd = await connected(CROWD, veryMany, 1);
  const smallest: Record<string, number> = {};
  for (const name of [...OURS, ...(quick ? [] : PEERS)]) {
    progress(`least memory, ${name}`);
    smallest[name] = await smallestSpace(publish, name, port);
  }
  server.close();
  return {
    peers: await peerBytes(home),
    installed: installations(home),
    loads: loads as unknown as Record<string, Load>,
    idle: { count: many, clients: clients as unknown as Record<string, Idle> },
    crowd: { count: veryMany, clients: crowd as unknown as Record<string, Idle> },
    smallest,
  };
}

async function modules(): Promise<Modules> {
  const [slice, whole] = await Promise.all(APPS.map(async (app) => (await bundled(app, 'es2022')).modules));
  return { slice: slice!, whole: whole! };
}

async function measure(progress: Progress, quick: boolean): Promise<Findings> {
  const measured = await measureAll(progress, quick);
  progress('bytes and small engines');
  return footprintFindings(await exact(), measured, await modules());
}

let known: Promise<Exact> | undefined;

/** Made once: it takes a minute. */
function exact(): Promise<Exact> {
  known ??= exactFootprint();
  return known;
}

const restate = async (now: Exact, measured: Measured): Promise<Findings> =>
  footprintFindings(now, measured, await modules());

export const bench: Bench = {
  about: 'bytes, import, memory of connections, heap of small engines',
  exact,
  measure,
  restate,
};
