// The recipe that makes mqtt-packet small: which pass goes over which file, and how much each has to find there.

import { createRequire } from 'node:module';
import { type Constants, computeTables } from './passes/compute-tables.ts';
import { dropCaches, dropOldNode } from './passes/drop-caches.ts';
import { dropCork } from './passes/drop-cork.ts';
import { dropDebug } from './passes/drop-debug.ts';
import { dropUnused } from './passes/drop-unused.ts';
import { dropExports, esModules } from './passes/es-modules.ts';
import { foldParserVersion, foldProperties, foldWriterVersion } from './passes/fold-version.ts';
import { type Pass, print, readModule, run } from './passes/pass.ts';
import { plainBytes } from './passes/plain-bytes.ts';
import { pruneBranches } from './passes/prune-branches.ts';
import { pruneReceived, pruneSent } from './passes/prune-kinds.ts';
import { shortMethods } from './passes/short-methods.ts';

/** The version whose text the counts below belong to. */
export const MQTT_PACKET_VERSION = '9.0.2';

const NOTICE = `/*! mqtt-packet ${MQTT_PACKET_VERSION}, specialised. MIT License. Copyright (c) 2014-2017 mqtt-packet contributors */\n`;

const constants: Constants = createRequire(import.meta.url)('mqtt-packet/constants.js');

type Step = readonly [pass: Pass, expected: number];

const RECIPES: Readonly<Record<string, readonly Step[]>> = {
  'mqtt.js': [
    [dropExports('generate'), 1],
    [esModules, 2],
  ],
  'packet.js': [[esModules, 1]],
  'numbers.js': [
    [dropExports('cache', 'generateCache', 'generate4ByteBuffer'), 3],
    [dropOldNode, 1],
    [dropUnused, 5],
    [plainBytes, 5],
    [dropUnused, 1],
    [esModules, 1],
  ],
  'parser.js': [
    [dropDebug, 47],
    [pruneReceived, 6],
    [dropUnused, 5],
    [foldParserVersion, 9],
    [pruneBranches, 7],
    [dropUnused, 7],
    [computeTables(constants, 'constants'), 11],
    [dropUnused, 1],
    [shortMethods, 19],
    [esModules, 4],
  ],
  'writeToStream.js': [
    [dropDebug, 13],
    [dropCork, 1],
    [dropCaches, 4],
    [pruneSent, 5],
    [foldWriterVersion, 12],
    [pruneBranches, 30],
    [foldProperties, 10],
    [pruneBranches, 10],
    [dropUnused, 37],
    [computeTables(constants, 'protocol'), 20],
    [plainBytes, 16],
    [dropUnused, 1],
    [esModules, 3],
  ],
};

/** @throws Error where the package is not the one that the recipe was written for */
export function checkVersion(version: string): void {
  if (version === MQTT_PACKET_VERSION) return;
  throw new Error(
    `mqtt-mote bundler: mqtt-packet ${version} is installed, but only ${MQTT_PACKET_VERSION} can be specialised`,
  );
}

/** @param file its path inside the package. @returns the module's text, specialised to what a 3.1.1 client needs */
export function specialise(file: string, text: string): string {
  const steps = RECIPES[file];
  if (!steps) throw new Error(`mqtt-mote bundler: mqtt-packet/${file} is not expected in a bundle`);
  const module = readModule(`mqtt-packet/${file}`, text);
  for (const [pass, expected] of steps) run(pass, module, expected);
  return (file === 'mqtt.js' ? NOTICE : '') + print(module, module.name, false);
}
