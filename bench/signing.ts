// Signing: what an HMAC takes, once per dial. Noble's, which is in every bundle, beside that of the host.

import { QuickJsEngine, VARIANTS } from '../targets/quickjs/engine.ts';
import { Duktape, whyNotDuktape } from '../test/support/duktape.ts';
import type { Bench, Findings, Progress, Table } from './runner/bench.ts';
import type { Exact } from './runner/exact.ts';
import { digits, times } from './runner/format.ts';
import { buildProgram, runProgram, type Sample } from './runner/programs.ts';
import { interleave } from './runner/rounds.ts';
import { exactSigning, guest, HASHES } from './signing/exact.ts';

const MAKERS = ['noble', 'node:crypto', 'hmacOver(node:crypto)'];
/** HMACs that an engine does for one figure. */
const ROUNDS = 300;

type ByHash = Readonly<Record<string, number>>;

interface Measured {
  /** By `maker hash`: microseconds. */
  readonly node: Readonly<Record<string, Sample>>;
  /** By engine and hash: microseconds of one HMAC; without those that are not here. */
  readonly engines: Readonly<Record<string, ByHash>>;
}

const SETTINGS = { host: '', port: 1, productKey: '', deviceName: '', deviceSecret: '' };

/** Microseconds of one, by the engine's clock; the best of some. */
function best(millis: readonly number[]): number {
  return (Math.min(...millis) * 1_000) / ROUNDS;
}

async function inQuickJs(engine: keyof typeof VARIANTS, passes: number): Promise<ByHash> {
  const said: string[] = [];
  const device = await QuickJsEngine.start({
    engine,
    settings: SETTINGS,
    print: (line) => said.push(line),
    exited: () => {},
  });
  device.run(await guest('quickjs'));
  const figures = HASHES.map((hash) => {
    said.length = 0;
    for (let pass = 0; pass < passes; pass++) device.run(`host.print(String(sign('${hash}', ${ROUNDS})))`);
    return [hash, best(said.map(Number))];
  });
  device.close();
  return Object.fromEntries(figures);
}

async function inDuktape(passes: number): Promise<ByHash> {
  const duktape = new Duktape();
  const mote = duktape.build();
  const figures: [string, number][] = [];
  for (const hash of HASHES) {
    const calls = `for (var i = 0; i < ${passes}; i++) host.print(String(sign('${hash}', ${ROUNDS})));`;
    const program = `${await guest('duktape')}\nhost.event = function () {}; ${calls}`;
    const { lines } = await duktape.run(mote, program);
    figures.push([hash, best(lines.map(Number))]);
  }
  duktape.remove();
  return Object.fromEntries(figures);
}

async function measureAll(progress: Progress, quick: boolean): Promise<Measured> {
  const program = await buildProgram('signing/program.ts');
  const contenders = MAKERS.flatMap((maker) => HASHES.map((hash) => `${maker} ${hash}`));
  const run = (contender: string) => runProgram(program, contender.split(' '));
  const node = await interleave(contenders, quick ? 1 : 7, run, progress);
  const passes = quick ? 1 : 5;
  const engines: Record<string, ByHash> = {};
  for (const engine of Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]) {
    progress(engine);
    engines[engine] = await inQuickJs(engine, passes);
  }
  progress('duktape');
  if (whyNotDuktape() === undefined) engines.duktape = await inDuktape(passes);
  return { node, engines };
}

function onNode({ node }: Measured): Table {
  const rows = HASHES.flatMap((hash) =>
    MAKERS.map((maker) => {
      const { import: imported, first, warm } = node[`${maker} ${hash}`]!;
      return [`HMAC-${hash.toUpperCase()}, ${maker}`, digits(imported! / 1_000), digits(first! / 1_000), digits(warm!)];
    }),
  );
  const columns = ['', 'import, ms of CPU', 'first call, ms', 'one of many, µs'];
  return { title: 'HMAC of 80 bytes on Node 20', columns, rows };
}

function inEngines(exact: Exact, { engines, node }: Measured): Table {
  const native = (hash: string) => node[`noble ${hash}`]!.warm!;
  const rows = HASHES.map((hash) => [
    `HMAC-${hash.toUpperCase()}`,
    exact[`xs/${hash}/first`]?.toLocaleString('en-US') ?? 'not here',
    exact[`xs/${hash}/next`]?.toLocaleString('en-US') ?? 'not here',
    ...['quickjs', 'quickjs-ng', 'duktape'].map((engine) => {
      const micros = engines[engine]?.[hash];
      return micros === undefined ? 'not here' : `${digits(micros)} µs, ${times(micros / native(hash))}`;
    }),
  ]);
  const columns = ['', 'XS: steps, first', 'XS: steps, next', 'QuickJS', 'QuickJS-ng', 'Duktape'];
  return { title: 'HMAC by noble in small engines; × beside V8 on the same machine', columns, rows };
}

function findings(exact: Exact, measured: Measured): Findings {
  const tables = [onNode(measured), inEngines(exact, measured)];
  return {
    tables,
    shown: tables,
    charts: [],
    measured,
    notes: [
      'A key of 32 bytes, as a DeviceSecret is, and 80 bytes to sign. It happens once per dial.',
      'hmacOver() is our HMAC over a hash of the host (mqtt-mote/native-hash): such a bundle carries no hash at all.',
      'The small engines are timed by the clock on the wall: on a busy machine that is rough. QuickJS is compiled to WebAssembly here. On Espruino, HMAC-SHA1 over its own SHA-1 took 3.4 ms where noble took 118, as measured once on a PC.',
    ],
  };
}

export const bench: Bench = {
  about: 'noble beside node:crypto, and in small engines',
  exact: exactSigning,
  measure: async (progress, quick) => findings(await exactSigning(), await measureAll(progress, quick)),
  restate: async (exact, measured: Measured) => findings(exact, measured),
};
