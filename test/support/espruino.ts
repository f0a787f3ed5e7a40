// The Linux builds of Espruino that the environment variable ESPRUINO names, one or several with colons between.

import { delimiter } from 'node:path';
import { EspruinoEngine } from '../../targets/espruino/engine.ts';
import { bundleOf } from './bundles.ts';

export const espruinoPaths: readonly string[] = (process.env.ESPRUINO ?? '').split(delimiter).filter((it) => it !== '');

export interface EspruinoSettings {
  readonly host: string;
  readonly port: number;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  readonly tls?: boolean;
}

const NOWHERE = { host: '127.0.0.1', port: 1, productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

/** A board with a program, and its settings, in flash. */
export async function boardWith(
  path: string,
  entry: string,
  settings: EspruinoSettings = NOWHERE,
): Promise<EspruinoEngine> {
  const board = new EspruinoEngine(path);
  const { code } = await bundleOf(entry, 'espruino');
  await board.install({ 'mote.json': JSON.stringify({ tls: false, ...settings }), '.bootcde': code });
  return board;
}

/** Runs a program on a board of its own, until a line begins with `last`. @returns all lines */
export async function runOn(path: string, entry: string, last: string, settings?: EspruinoSettings): Promise<string[]> {
  const board = await boardWith(path, entry, settings);
  try {
    return await board.boot((line) => line.startsWith(last));
  } finally {
    board.close();
  }
}

export interface EspruinoBuild {
  readonly path: string;
  /** Variables in all. */
  readonly total: number;
  /** Whether texts hold more than bytes. */
  readonly isUnicode: boolean;
}

export async function buildOf(path: string): Promise<EspruinoBuild> {
  const [line = ''] = await runOn(path, 'test/targets/espruino/probe.ts', 'end ');
  const found = /^end \d+ of (\d+) variables, (unicode|bytes)$/.exec(line);
  if (!found) throw new Error(`${path} is no Espruino that this suite can use: ${line}`);
  return { path, total: Number(found[1]), isUnicode: found[2] === 'unicode' };
}
