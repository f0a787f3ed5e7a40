// The recipe that makes mqtt-packet small: which pass goes over which file, and how much each has to find there.

import { createRequire } from 'node:module';
import { addImport } from './passes/add-import.ts';
import { type Constants, computeTables } from './passes/compute-tables.ts';
import { dropCaches, dropOldNode } from './passes/drop-caches.ts';
import { dropCork } from './passes/drop-cork.ts';
import { dropDebug } from './passes/drop-debug.ts';
import { dropEmpty, dropResults } from './passes/drop-empty.ts';
import { dropLengths } from './passes/drop-lengths.ts';
import { dropCalls, dropMembers } from './passes/drop-members.ts';
import { dropRefusals } from './passes/drop-refusals.ts';
import { dropUnused } from './passes/drop-unused.ts';
import { dropWrappers } from './passes/drop-wrappers.ts';
import { dropExports, esModules } from './passes/es-modules.ts';
import { foldFacts } from './passes/fold-facts.ts';
import { foldParserVersion, foldProperties, foldWriterVersion } from './passes/fold-version.ts';
import { freeFunction, inlineMethods, mergeCases, oneState, readNumbers } from './passes/free-function.ts';
import { numericKinds } from './passes/numeric-kinds.ts';
import { type Pass, print, readModule, run } from './passes/pass.ts';
import { plainBytes, plainList } from './passes/plain-bytes.ts';
import { pruneBranches } from './passes/prune-branches.ts';
import { pruneReceived, pruneSent } from './passes/prune-kinds.ts';
import { renameProperties } from './passes/rename-properties.ts';
import { callThrough, writeBytes, writeThrough } from './passes/write-through.ts';

/** The version whose text the counts below belong to. */
export const MQTT_PACKET_VERSION = '9.0.2';

const NOTICE = `/*! mqtt-packet ${MQTT_PACKET_VERSION}, specialised. MIT License. Copyright (c) 2014-2017 mqtt-packet contributors */\n`;

const constants: Constants = createRequire(import.meta.url)('mqtt-packet/constants.js');

type Step = readonly [pass: Pass, expected: number];

/** What the module of src is called that texts are read and written by. */
export const UTF8 = 'mqtt-mote-utf8';

// A packet comes to the parser whole, and to both after the framing has looked at it: by guard.ts, or by check.ts.

const PARSER_FACTS = {
  'packet.messageId': 'packet.packetId',
  'this.packet.cmd = constants.types[cmdIndex]': 'this.packet.type = cmdIndex',
  'this.packet.length === 0 || this._list.length >= this.packet.length': 'true',
};

const PARSER_LENGTHS = {
  'this.packet.length': 'this._list.length',
};

const WRITER_FACTS = {
  'packet || {}': 'packet',
  'settings.keepalive || 0': 'settings.keepAliveSeconds',
  "settings.clientId || ''": 'settings.clientId',
  'settings.clean': 'settings.cleanSession',
  'clean === undefined': 'false',
  'settings.username': 'settings.userName',
  'settings.qos || 0': 'settings.qos',
  'settings.payload || empty': 'settings.payload',
  'settings.messageId': 'settings.packetId',
  'byteLength(topic)': 'utf8Length(topic)',
  'Buffer.byteLength(string)': 'utf8Length(string)',
  "stream.write(string, 'utf8')": 'stream.write(string)',
  "settings.cmd || 'puback'": 'settings.type',
  "settings.dup && type === 'pubrel' ? 8 : 0": '0',
  "type === 'pubrel'": 'type === 6',
  '["puback", "pubrec", "pubrel", "pubcomp"].indexOf(type) + 4 << 4': 'type << 4',
  'settings.dup ? 8 : 0': '0',
  'settings.subscriptions': 'settings.filters',
  'sub.topic': 'sub.filter',
  '(retain ? 1 : 0)': 'retain',
  'stream.write(new Uint8Array([joptions]))': 'stream.write(new Uint8Array([jqos]))',
  'settings.unsubscriptions': 'settings.filters',
};

const RECIPES: Readonly<Record<string, readonly Step[]>> = {
  'mqtt.js': [
    [dropExports('generate'), 1],
    [foldFacts({ "require('./parser').parser": "require('./parser')" }), 1],
    [esModules, 2],
  ],
  'numbers.js': [
    [dropExports('cache', 'generateCache', 'generate4ByteBuffer'), 3],
    [dropOldNode, 1],
    [dropUnused, 5],
    [plainBytes, 5],
    [foldFacts({ 'num > 0 && pos < maxLength': 'num > 0' }), 1],
    [writeThrough, 2],
    [dropUnused, 3],
    [dropEmpty, 1],
    [esModules, 1],
  ],
  'parser.js': [
    [dropDebug, 47],
    [pruneReceived, 6],
    [dropUnused, 5],
    [foldParserVersion, 9],
    [pruneBranches, 7],
    [dropUnused, 7],
    [dropRefusals('_emitError'), 18],
    [foldFacts(PARSER_FACTS), 3],
    [pruneBranches, 1],
    [numericKinds(constants), 9],
    [computeTables(constants, 'constants'), 9],
    [readNumbers, 1],
    [plainList, 7],
    [foldFacts(PARSER_LENGTHS), 4],
    [dropCalls('consume'), 3],
    [dropMembers('_pos'), 2],
    [oneState, 2],
    [inlineMethods, 17],
    [freeFunction, 52],
    [mergeCases, 1],
    [dropUnused, 7],
    [addImport('textOf', UTF8), 1],
    [esModules, 1],
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
    [dropRefusals('destroy'), 20],
    [dropLengths, 41],
    [numericKinds(constants), 10],
    [foldFacts(WRITER_FACTS, { toWrite: true }), 31],
    [pruneBranches, 4],
    [dropResults, 7],
    [dropUnused, 13],
    [dropEmpty, 11],
    [writeBytes, 10],
    [callThrough('generateNumber', 'genBufVariableByteInt'), 2],
    [dropWrappers, 3],
    [addImport('utf8Length', UTF8), 1],
    [esModules, 2],
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
export function specialise(file: string, text: string, names: ReadonlyMap<string, string>): string {
  const steps = RECIPES[file];
  if (!steps) throw new Error(`mqtt-mote bundler: mqtt-packet/${file} is not expected in a bundle`);
  const module = readModule(`mqtt-packet/${file}`, text);
  for (const [pass, expected] of steps) run(pass, module, expected);
  renameProperties(module, names);
  return (file === 'parser.js' ? NOTICE : '') + print(module, module.name, false);
}
