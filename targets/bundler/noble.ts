// The recipe that makes noble's hashes small, and fit for hosts that run modules on the build machine.

import { dropBareFields } from './passes/drop-bare-fields.ts';
import { dropEmpty } from './passes/drop-empty.ts';
import { dropCalls, dropMembers, dropSuperArguments, fixVariables } from './passes/drop-members.ts';
import { dropUnusedBindings } from './passes/drop-unused.ts';
import { flatHmac } from './passes/flat-hmac.ts';
import { foldFacts } from './passes/fold-facts.ts';
import { freezeLiterals } from './passes/freeze-literals.ts';
import { keepExports } from './passes/keep-exports.ts';
import { localScratch } from './passes/lazy-scratch.ts';
import { type Pass, print, readModule, run } from './passes/pass.ts';
import { inlineNumbers, plainFunctions, plainHashes } from './passes/plain-hashes.ts';
import { pruneBranches } from './passes/prune-branches.ts';
import { renameProperties } from './passes/rename-properties.ts';

export const NOBLE_VERSION = '2.4.0';

export const NOBLE_NOTICE = `/*! @noble/hashes ${NOBLE_VERSION}. MIT License. Copyright (c) 2022 Paul Miller (https://paulmillr.com) */\n`;

type Step = readonly [pass: Pass, expected: number];

/** Not every host has slice() for all typed arrays. */
export const plainMd5: Step = [foldFacts({ 'SHA1_IV.slice(0, 4)': 'SHA1_IV.subarray(0, 4)' }), 1];

// The package hands over bytes that it has made itself, once, and drops the hash: nothing of that is checked again. Nor is
// what was hashed wiped, since the secret that it comes from stays with the identity.
const ASSERTIONS = ['ahash', 'abytes', 'aexists', 'aoutput'];
const UNASKED = ['_cloneInto', '_cloneIntoMeta', 'clone', 'destroy', 'roundClean'];
const FLAGS = ['canXOF', 'finished', 'destroyed'];

/** Of MD5, SHA-1 and SHA-256 alike, in bytes. */
const BLOCK = 64;
const LENGTH_FIELD = 8;

const RECIPES: Readonly<Record<string, readonly Step[]>> = {
  'hmac.js': [
    [dropCalls(...ASSERTIONS, 'clean', 'destroy'), 9],
    [dropMembers(...UNASKED, ...FLAGS, 'blockLen', 'outputLen'), 11],
    [foldFacts({ "typeof this.iHash.update !== 'function'": 'false', 'out.subarray(0, this.outputLen)': 'out' }), 2],
    [pruneBranches, 1],
    [fixVariables({ blockLen: BLOCK }), 2],
    [plainFunctions, 1],
    [dropUnusedBindings, 1],
    [flatHmac, 1],
  ],
  '_md.js': [
    [dropCalls(...ASSERTIONS, 'roundClean', 'destroy'), 7],
    [dropMembers(...UNASKED, ...FLAGS, 'blockLen', 'padOffset'), 10],
    [
      foldFacts({
        'this.padOffset': String(LENGTH_FIELD),
        'take === blockLen': 'false', // What is hashed in whole blocks goes through the buffer, too.
        'pos === 0 && take === len ? data : data.subarray(pos, pos + take)': 'data.subarray(pos, pos + take)',
        'len % 4 || outLen > state.length': 'false',
        'out === buffer ? view : createView(out)': 'createView(out)',
        // Hosts of ES5 have no fill().
        'buffer.fill(0, pos)': 'buffer.set(new Uint8Array(blockLen - pos), pos)',
        'buffer.fill(0)': 'buffer.set(new Uint8Array(blockLen))',
      }),
      7,
    ],
    [pruneBranches, 2],
    [fixVariables({ blockLen: BLOCK, padOffset: LENGTH_FIELD }), 7],
    [dropEmpty, 1],
    [dropUnusedBindings, 1],
  ],
  'legacy.js': [
    [keepExports('sha1', 'md5'), 2],
    [plainHashes, 3],
    [dropUnusedBindings, 15],
    [dropCalls('clean'), 4],
    [dropMembers(...UNASKED, ...FLAGS), 6],
    [dropSuperArguments({ 0: BLOCK, 2: LENGTH_FIELD }), 2],
    [localScratch, 2],
    // The sums that set() takes are of 32 bits already.
    [foldFacts({ 'A | 0': 'A', 'B | 0': 'B', 'C | 0': 'C', 'D | 0': 'D', 'E | 0': 'E' }), 9],
    plainMd5,
    [inlineNumbers, 5],
  ],
  'sha2.js': [
    [keepExports('sha256'), 1],
    [plainHashes, 6],
    [dropUnusedBindings, 18],
    [dropCalls('clean'), 2],
    [dropMembers(...UNASKED, ...FLAGS), 3],
    [dropSuperArguments({ 0: BLOCK, 2: LENGTH_FIELD }), 1],
    [localScratch, 1],
  ],
  '_u64.js': [[foldFacts({ 'fromNumH(n)': '0', 'fromNumL(n)': 'n' }), 2]], // Less than 512 MB is signed.
  'utils.js': [],
};

/** What the hashes call each other by, and nobody else. */
const OWN_NAMES = ['outputLen', 'digestInto', 'isLE', 'process', 'update', 'digest', 'create', 'view', 'pos', 'get'];
const SHORT = new Map(OWN_NAMES.map((name, index) => [name, 'abcdefghij'.charAt(index)]));

/** @throws Error where the package is not the one that the recipe was written for */
export function checkHashesVersion(version: string): void {
  if (version === NOBLE_VERSION) return;
  throw new Error(
    `mqtt-mote bundler: @noble/hashes ${version} is installed, but only ${NOBLE_VERSION} can be specialised`,
  );
}

/**
 * @param file its path inside the package
 * @param freeze for a host that keeps in flash what is frozen
 * @returns the module's text, with what signing needs of it
 */
export function specialiseHashes(file: string, text: string, freeze = false): string {
  const steps = RECIPES[file];
  if (!steps) throw new Error(`mqtt-mote bundler: @noble/hashes/${file} is not expected in a bundle`);
  const module = readModule(`@noble/hashes/${file}`, text);
  for (const [pass, expected] of steps) run(pass, module, expected);
  dropBareFields(module);
  if (freeze) freezeLiterals(module);
  renameProperties(module, SHORT);
  return (file === 'utils.js' ? NOBLE_NOTICE : '') + print(module, module.name);
}
