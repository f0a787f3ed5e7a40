// Power: how often a device wakes up and uses its radio, simulated for a day. The same in every run.

import { deviceDay } from './power/device.ts';
import { errandDay } from './power/errands.ts';
import { exactPower } from './power/exact.ts';
import type { Cost } from './power/ledger.ts';
import { KEEP_ALIVE_SECONDS, SCENARIOS, SLACK_MILLIS } from './power/scenarios.ts';
import type { Bench, Findings, Progress, Table } from './runner/bench.ts';
import { bars } from './runner/charts.ts';
import { digits } from './runner/format.ts';
import { buildProgram, runProgram } from './runner/programs.ts';

const OURS = 'mqtt-mote';
const PEERS = ['MQTT.js', 'u8-mqtt', 'mqtts', 'paho'];
const EARLY = 'with early pings';
const NAMES = [OURS, EARLY, ...PEERS];
const FIGURES = { wakeUps: 'wake-ups', sent: 'transmissions', radioStarts: 'radio starts' } as const;
const HOURS = 24;

type Costs = readonly (readonly [scenario: string, name: string, cost: Cost])[];

async function measure(progress: Progress, quick: boolean): Promise<Findings> {
  const program = await buildProgram('power/program.ts');
  const costs: [string, string, Cost][] = [];
  const scenarios = quick ? SCENARIOS.slice(0, 2) : SCENARIOS;
  for (const [number, scenario] of scenarios.entries()) {
    progress(`${OURS}, ${scenario.name}`);
    costs.push([scenario.name, OURS, deviceDay(scenario)]);
    costs.push([scenario.name, EARLY, deviceDay(scenario, SLACK_MILLIS)]);
    for (const peer of PEERS) {
      progress(`${peer}, ${scenario.name}`);
      costs.push([scenario.name, peer, await runProgram<Cost>(program, [peer, String(number)])]);
    }
  }
  const tables = (['wakeUps', 'sent', 'radioStarts'] as const).map((figure) => table(figure, costs));
  return {
    tables: [...tables, errands()],
    shown: [tables[0]!],
    charts: [{ name: 'wake-ups', title: 'Wake-ups of a device per hour, by what it does', spec: chart(costs) }],
    notes: [
      `A day in virtual time, keep-alive ${KEEP_ALIVE_SECONDS} s, 50 ms to the server and as much back. Peers are run as they are, under fake timers.`,
      `"${EARLY}": mqtt-mote with pingEarly(), up to ${SLACK_MILLIS / 1_000} s; where that is not before a packet leaves, nothing changes.`,
      'A wake-up is an instant at which a timer of the client or of the app rings; what arrives is not counted as one.',
      'The radio starts to send or receive, unless it did so within the last five seconds.',
      'u8-mqtt and mqtts ping at a fixed interval whatever else is sent. u8-mqtt never checks for an answer, nor does paho notice a dead link before twice the keep-alive.',
    ],
  };
}

function table(figure: keyof typeof FIGURES, costs: Costs): Table {
  const rows = [...new Set(costs.map(([scenario]) => scenario))].map((name) => [
    name,
    ...NAMES.map((client) => digits(costs.find(([scenario, it]) => scenario === name && it === client)![2][figure])),
  ]);
  return { title: `${FIGURES[figure]} per hour`, columns: ['', ...NAMES], rows };
}

function errands(): Table {
  const rows = (
    [
      ['own', 'a host timer each'],
      ['exact', 'a shared timer'],
      ['slack', 'a shared timer, with slack'],
    ] as const
  ).map(([kind, name]) => {
    const { wakeUps, run } = errandDay(kind);
    return [name, digits(wakeUps / HOURS), digits(run / HOURS)];
  });
  return {
    title: "An app's own errands, every 60 to 1,000 s: per hour",
    columns: ['', 'wake-ups', 'errands run'],
    rows,
  };
}

function chart(costs: Costs) {
  const rows = costs.map(([scenario, client, { wakeUps }]) => ({ scenario, client, wakeUps }));
  return bars(
    rows,
    { field: 'wakeUps', title: 'wake-ups per hour' },
    { field: 'client', values: NAMES },
    { field: 'scenario', values: SCENARIOS.map(({ name }) => name) },
    2,
    2,
  );
}

export const bench: Bench = { about: 'wake-ups and transmissions of a device, simulated', exact: exactPower, measure };
