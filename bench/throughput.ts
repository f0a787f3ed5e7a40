// Throughput: CPU, time and bytes per message, out and in, beside the peers and what no client can go below.

import { buildMote } from './peers/build-mote.ts';
import type { Bench, Findings, Progress, Table } from './runner/bench.ts';
import { bars } from './runner/charts.ts';
import { digits, times as ratio } from './runner/format.ts';
import { goalTable } from './runner/goals.ts';
import { buildProgram, runProgram, type Sample } from './runner/programs.ts';
import { interleave } from './runner/rounds.ts';
import { allocates, CASES, type Case, kindOf, WINDOW } from './throughput/cases.ts';
import { CONTENDERS, MQTTJS } from './throughput/contenders.ts';
import { goalsOf, type Results } from './throughput/goals.ts';
import { startSink } from './throughput/start-sink.ts';

const ROUNDS = 3;
const NAMES = Object.keys(CONTENDERS);

/** One case out, with acknowledgements, and one in. */
const isQuick = ({ way, qos, window }: Case): boolean => window === WINDOW && qos === (way === 'out' ? 1 : 0);

/** Whether a contender can do this at all. */
const can = (name: string, { qos }: Case): boolean => !(name === 'u8-mqtt' && qos === 2);

/** The young generation is never full, so that nothing is collected while bytes are counted. */
const WITHOUT_COLLECTION = ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512'];

async function measure(progress: Progress, quick: boolean): Promise<Findings> {
  const program = await buildProgram('throughput/program.ts');
  await buildMote();
  const sink = await startSink();
  const times = new Map<string, Record<string, Sample>>();
  const bytes = new Map<string, Record<string, Sample>>();
  const rounds = quick ? 1 : ROUNDS;
  try {
    for (const kind of new Set((quick ? CASES.filter(isQuick) : CASES).map(kindOf))) {
      const cases = CASES.filter((it) => kindOf(it) === kind).slice(0, quick ? 1 : undefined);
      const names = NAMES.filter((name) => can(name, cases[0]!));
      const told: Progress = (doing) => progress(`${cases[0]!.name} and larger, ${doing}`);
      const run = async (some: readonly Case[], figure: string, times: number, options: string[]) => {
        const numbers = some.map((it) => CASES.indexOf(it)).join();
        const args = (name: string) => [name, numbers, String(sink.port), figure];
        return byCase(some, await interleave(names, times, (name) => runProgram(program, args(name), options), told));
      };
      for (const [name, samples] of await run(cases, 'time', rounds, [])) times.set(name, samples);
      // Allocation hardly differs from run to run.
      const counted = cases.filter(allocates);
      if (counted.length === 0) continue;
      for (const [name, samples] of await run(counted, 'bytes', 1, WITHOUT_COLLECTION)) bytes.set(name, samples);
    }
  } finally {
    sink.stop();
  }
  return findings(times, bytes);
}

/** What a process found in several cases, by case. */
function byCase(cases: readonly Case[], found: Readonly<Record<string, Sample>>): Map<string, Record<string, Sample>> {
  const of = (name: string, sample: Sample): Sample =>
    Object.fromEntries(
      Object.entries(sample)
        .filter(([key]) => key.startsWith(`${name}: `))
        .map(([key, value]) => [key.slice(name.length + 2), value]),
    );
  return new Map(
    cases.map(({ name }) => [
      name,
      Object.fromEntries(Object.entries(found).map(([contender, sample]) => [contender, of(name, sample)])),
    ]),
  );
}

function findings(times: Results, bytes: Results): Findings {
  const ratios = table('CPU per message, beside MQTT.js in the same run', times, 'cpu', (value, base) =>
    ratio(value / base),
  );
  const goals = { ...goalTable(goalsOf(times, bytes)), title: 'Goals, as parts of what MQTT.js takes' };
  return {
    tables: [
      ratios,
      table('CPU per message, µs', times, 'cpu'),
      table('Messages per second', times, 'rate'),
      table('Latency of an echo, µs: half of them take at most', echoes(times), 'p50'),
      table('Latency of an echo, µs: 99 of 100 take at most', echoes(times), 'p99'),
      table('Bytes allocated per message', bytes, 'allocated'),
      goals,
    ],
    shown: [ratios, table('Bytes allocated per message', bytes, 'allocated')],
    charts: [{ name: 'cpu', title: 'CPU per message of 32 bytes, in microseconds', spec: chart(times) }],
    notes: [
      `A sink in a process of its own answers what it must and does no more: no broker is in a figure. It is written in C, answers in one piece for each piece that came, and sends bytes that were encoded before. At most ${WINDOW} messages are under way at once, one where the name says so.`,
      'Each contender runs in a process of its own for each kind of case, in turns, small payloads first; of its three passes, after twelve that warm it up, the median counts, and the median of three rounds. CPU is that of the process, user and system. Messages per second are by the clock on the wall, on a machine that others used as well.',
      '"mqtt-mote" is what an import gives on Node, modules with mqtt-packet specialised when the package was built; "mqtt-mote/bundled" is the same in one file. Both check every packet as the standard asks.',
      'With one message under way, and in an echo, most of the CPU is that of the system: no client gets far below the floor "bytes". We copy a payload, one of less than 16 KB twice, so that the app may use it again once QoS 0 is done; MQTT.js hands the app’s own memory to the system. Of 64 KB at QoS 0 a profile shows 3 % of the time in our copy and 41 % in the one that the system makes, which takes longer the more it has under way.',
      'The floor "mqtt-packet" is that package over a bare socket without any client, written in one piece a turn; "bytes" sends bytes encoded before, and of what comes reads only types and lengths. Neither checks anything. mqtt-mote can be below the former, since it takes the steps of the parser without the buffer list and the events around them.',
      "u8-mqtt cannot do QoS 2. Version 0.6.7 rejects every QoS 0 publish(): what it would do without that fault is measured. paho knows WebSockets only, which are a bare stream here: the frames of a WebSocket are in no figure. mqtts gives out identifier 0 after 65,535, and then refuses it itself: there are fewer messages than that. opifex is not in npm's registry, and is not measured.",
      'Bytes allocated: the heap and the array buffers after a pass, less those before, with a young generation so large that nothing is collected meanwhile.',
    ],
  };
}

const echoes = (times: Results): Results => new Map([...times].filter(([name]) => name.startsWith('echo')));

function table(
  title: string,
  results: Results,
  figure: string,
  write: (value: number, base: number) => string = digits,
): Table {
  const rows = [...results].map(([what, samples]) => [
    what,
    ...NAMES.map((name) => (samples[name] ? write(samples[name][figure]!, samples[MQTTJS]![figure]!) : '–')),
  ]);
  return { title, columns: ['', ...NAMES], rows };
}

function chart(times: Results) {
  const shown = CASES.filter(allocates).map(({ name }) => name);
  const rows = shown.flatMap((what) =>
    NAMES.filter((name) => times.get(what)?.[name]).map((name) => ({ what, name, cpu: times.get(what)![name]!.cpu! })),
  );
  return bars(
    rows,
    { field: 'cpu', title: 'µs of CPU per message' },
    { field: 'name', values: NAMES },
    { field: 'what', values: shown },
  );
}

export const bench: Bench = { about: 'CPU, time and bytes per message, beside the peers and the floors', measure };
