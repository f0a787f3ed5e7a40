// The footprint as tables, from what is the same in every run and what was measured.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart, Findings, Table } from '../runner/bench.ts';
import { bars } from '../runner/charts.ts';
import type { Exact } from '../runner/exact.ts';
import { digits } from '../runner/format.ts';
import { type Goal, goalTable } from '../runner/goals.ts';
import type { Bytes } from './bytes.ts';
import { APPS, type App, ENGINES, entryPoints, TARGETS } from './exact.ts';
import type { Installed } from './install.ts';
import { ESPRUINO_CLIENTS, MODDABLE_CLIENTS } from './published.ts';

export interface Load {
  /** CPU of the process from its start, and of the import alone. */
  readonly whole: number;
  readonly millis: number;
  readonly resident: number;
}

export interface Idle {
  readonly heapOfOne: number;
  readonly residentOfOne: number;
  readonly heapEach?: number;
  readonly residentEach?: number;
}

type By<T> = Readonly<Record<string, T>>;

export interface Measured {
  readonly peers: By<Bytes>;
  readonly installed: By<Installed>;
  /** By what is imported; `nothing` is the process alone. */
  readonly loads: By<Load>;
  /** So many connections, and what each client takes. */
  readonly idle: { readonly count: number; readonly clients: By<Idle> };
  readonly crowd: { readonly count: number; readonly clients: By<Idle> };
  /** The least --max-old-space-size, in MB. */
  readonly smallest: By<number>;
}

/** By app, the bytes of each module. */
export type Modules = Readonly<Record<App, readonly (readonly [module: string, bytes: number])[]>>;

const MB = 1e6;
const SIZES = ['minified', 'gzip', 'brotli'] as const;

const grouped = (value: number): string => value.toLocaleString('en-US');
const sizes = ({ minified, gzip, brotli }: Bytes): string[] => [minified, gzip, brotli].map(grouped);

const bytesAt = (exact: Exact, path: string): Bytes =>
  Object.fromEntries(SIZES.map((size) => [size, exact[`${path}/${size}`]!])) as unknown as Bytes;

/** An app that connects, subscribes and publishes, with each client. */
function apps(exact: Exact, { peers }: Measured): Table {
  const rows = [
    ['mqtt-mote, the slice', ...sizes(bytesAt(exact, 'bytes/es2022/slice'))],
    ['mqtt-mote, the whole', ...sizes(bytesAt(exact, 'bytes/es2022/whole'))],
    ...Object.entries(peers).map(([name, bytes]) => [name, ...sizes(bytes)]),
  ];
  return { title: 'Bytes of an app in one file', columns: ['', ...SIZES], rows };
}

function targets(exact: Exact): Table {
  const rows = TARGETS.map((target) => [
    target,
    ...APPS.flatMap((app) => sizes(bytesAt(exact, `bytes/${target}/${app}`))),
  ]);
  const columns = ['', ...APPS.flatMap((app) => SIZES.map((size) => `${app}: ${size}`))];
  return { title: 'Bytes by target', columns, rows };
}

function entries(exact: Exact): Table {
  const rows = entryPoints().map((name) => [
    name === '.' ? 'mqtt-mote' : `mqtt-mote/${name}`,
    ...sizes(bytesAt(exact, `entry/${name}`)),
  ]);
  return { title: 'Bytes of our own code behind each entry point', columns: ['', ...SIZES], rows };
}

function modules(app: App, all: Modules): Table {
  const rows = all[app].map(([module, bytes]) => [module, grouped(bytes)]);
  return { title: `The ${app}, es2022, by module`, columns: ['', 'bytes'], rows };
}

function installs({ installed }: Measured): Table {
  const rows = Object.entries(installed).map(([name, { packages, bytes }]) => [
    name,
    packages,
    grouped(Math.round(bytes / 1_000)),
  ]);
  return { title: 'Installed by npm', columns: ['', 'packages beside it', 'KB, with these'], rows };
}

const over = (loads: By<Load>, name: string): number => (loads[name]!.resident - loads.nothing!.resident) / MB;

function loading({ loads, smallest }: Measured): Table {
  const rows = Object.entries(loads)
    .filter(([name]) => name !== 'nothing')
    .map(([name, { millis, whole }]) => [
      name,
      digits(millis),
      digits(whole),
      digits(over(loads, name)),
      smallest[name] ?? '',
    ]);
  const columns = [
    '',
    'ms of CPU to import',
    'since the start of Node',
    'MB resident over bare node',
    'MB of --max-old-space-size to publish',
  ];
  return { title: 'On Node, as npm installs it', columns, rows };
}

function idling({ idle, crowd }: Measured): Table {
  const kilobytes = (bytes: number | undefined): string => (bytes === undefined ? '' : digits(bytes / 1_000));
  const rows = Object.entries(idle.clients).map(([name, it]) => {
    const many = crowd.clients[name];
    return [
      name,
      digits(it.heapOfOne / MB),
      digits(it.residentOfOne / MB),
      kilobytes(it.heapEach),
      kilobytes(it.residentEach),
      kilobytes(many?.heapEach),
      kilobytes(many?.residentEach),
    ];
  });
  const each = (count: number) => [`each of ${grouped(count)}: KB of heap`, 'KB resident'];
  const columns = ['', 'one: MB of heap', 'MB resident', ...each(idle.count), ...each(crowd.count)];
  return { title: 'Idle connections in one process of Node', columns, rows };
}

interface Figure {
  readonly measured: number;
}

/** What the tests of the targets last wrote down. */
function budget(): { readonly duktape?: By<By<Figure>>; readonly espruino?: By<By<Figure>> } {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../targets/budget.json'), 'utf8'));
}

function engines(exact: Exact): Table {
  const { duktape, espruino } = budget();
  const cell = (figure: number | undefined) => (figure === undefined ? 'not here' : grouped(figure));
  const row = (title: string, value: (app: App) => number | undefined) => [
    title,
    ...APPS.map((app) => cell(value(app))),
  ];
  const rows = [
    ...ENGINES.map((engine) => row(`${engine}: bytes of heap`, (app) => exact[`${engine}/${app}/heapBytes`])),
    row('XS: slots, loaded', (app) => exact[`xs/${app}/loadedSlots`]),
    row('XS: slots, connected', (app) => exact[`xs/${app}/connectedSlots`]),
    row('XS: steps to load and connect', (app) => exact[`xs/${app}/connectCompute`]),
    row('XS: steps to publish, QoS 1', (app) => exact[`xs/${app}/publishCompute`]),
    row('XS: slots filled by that, the bridge of the test included', (app) => exact[`xs/${app}/publishSlots`]),
    row('Duktape and its host, TLS: KB resident', (app) => duktape?.[app]?.residentKilobytes?.measured),
    ...Object.keys(espruino?.slice ?? espruino?.whole ?? { connectedVariables: 0 }).map((figure) =>
      row(`Espruino: ${figure}`, (app) => espruino?.[app]?.[figure]?.measured),
    ),
  ];
  return { title: 'Small engines, connected', columns: ['', ...APPS], rows };
}

function goals(exact: Exact, { installed, loads, idle, smallest }: Measured): Goal[] {
  const goal = (what: string, value: number, most: number, unit: string): Goal => ({ what, unit, value, most });
  const bundled = idle.clients['mqtt-mote/bundled']!;
  const module = idle.clients['mqtt-mote']!;
  const mqttjs = idle.clients['MQTT.js']!;
  const both = [
    ['mqtt-mote', module],
    ['mqtt-mote/bundled', bundled],
  ] as const;
  const bytes = APPS.flatMap((app) => {
    const { minified, gzip } = bytesAt(exact, `bytes/es2022/${app}`);
    const most = app === 'slice' ? [32_000, 11_000] : [40_000, 13_500];
    return [
      goal(`the ${app}, minified`, minified, most[0]!, 'bytes'),
      goal(`the ${app}, gzip`, gzip, most[1]!, 'bytes'),
    ];
  });
  return [
    ...bytes,
    goal('packages beside it', installed['mqtt-mote']!.packages, 20, ''),
    ...both.flatMap(([name, it]) => [
      goal(
        `start of Node and import of ${name}, beside node:net`,
        loads[name]!.whole / loads['node:net']!.whole,
        1.5,
        '×',
      ),
      goal(`resident after import of ${name}`, over(loads, name), 3, 'MB'),
      goal(`heap of one idle connection, ${name}, beside MQTT.js`, it.heapOfOne / mqttjs.heapOfOne, 0.1, '×'),
      goal(`resident with it, ${name}, beside MQTT.js`, it.residentOfOne / mqttjs.residentOfOne, 0.2, '×'),
      goal(
        `heap of each of ${grouped(idle.count)}, ${name}, beside MQTT.js`,
        it.heapEach! / mqttjs.heapEach!,
        0.35,
        '×',
      ),
      goal(`--max-old-space-size, ${name}`, smallest[name]!, 5, 'MB'),
    ]),
  ];
}

function chart(exact: Exact, { peers }: Measured): Chart {
  const ours = APPS.map((app) => [`mqtt-mote, the ${app}`, bytesAt(exact, `bytes/es2022/${app}`)] as const);
  const all = [...ours, ...Object.entries(peers)];
  const rows = all.flatMap(([client, bytes]) =>
    (['minified', 'gzip'] as const).map((size) => ({ client, size, kilobytes: bytes[size] / 1_000 })),
  );
  const spec = bars(
    rows,
    { field: 'kilobytes', title: 'KB' },
    { field: 'client', values: all.map(([client]) => client) },
    { field: 'size', values: ['minified', 'gzip'] },
    2,
    3,
  );
  return { name: 'bytes', title: 'Kilobytes of an app that connects, subscribes and publishes, by client', spec };
}

/** Undefined where something was left out: a quick run. */
export function footprintFindings(exact: Exact, measured: Measured, all: Modules): Findings {
  const bytes = apps(exact, measured);
  const load = loading(measured);
  const idle = idling(measured);
  const engine = engines(exact);
  const set = goalTable(goals(exact, measured));
  return {
    tables: [
      bytes,
      targets(exact),
      entries(exact),
      installs(measured),
      load,
      idle,
      engine,
      MODDABLE_CLIENTS,
      ESPRUINO_CLIENTS,
      set,
      ...APPS.map((app) => modules(app, all)),
    ],
    shown: [bytes, load, idle, engine, set],
    charts: [chart(exact, measured)],
    measured,
    notes: [
      'An app connects over TCP, subscribes, and publishes, QoS 1. The slice and the whole are made by mqtt-mote/bundler and sign; the other files by esbuild alone, minified, for Node: that of mqtt-mote from the modules that the package has for Node.',
      'Moddable XS and QuickJS take es2022, mujs takes es5. The whole has every module of a device.',
      'An entry point counts without the packages that it imports; modules that several share are in each.',
      'Imported from what npm pack makes, each time in a process of its own, in turns; the median counts. mqtt-mote is imported with mqtt-mote/node. TLS and crypto of Node are loaded by nodeTls(), which these do not call: about 3 ms and 2 MB.',
      'Heap is what V8 has in use after collections, buffers included, beyond what bare node has; that of one includes all code.',
      'Of what one of many connections holds, Node’s socket is a part (the last row has no stream events beside it); the rest are some thirty objects and lists of the client, and the functions of its transport and its alarm.',
      'Connections over TCP to a server in another process, keep-alive 300 s. paho sees a socket through a WebSocket in disguise.',
      'QuickJS without the texts and line tables of functions. XS is that of @agoric/xsnap, which does not preload: on a Moddable device most of it lies in flash. Duktape and Espruino: what the tests of the targets last wrote down.',
    ],
  };
}
