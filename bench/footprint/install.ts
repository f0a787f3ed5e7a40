// The package as npm packs it, in a folder where it and the peers are found by name; and what an installation takes.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const BENCH = join(import.meta.dirname, '..');
const ROOT = join(BENCH, '..');
const HOME = join(BENCH, '.work', 'user');

/** @returns the folder: programs in it import `mqtt-mote`, its entry points and the peers as an app would */
export function installPacked(): string {
  rmSync(HOME, { recursive: true, force: true });
  const installed = join(HOME, 'node_modules', 'mqtt-mote');
  mkdirSync(installed, { recursive: true });
  const [tarball = ''] = execFileSync('npm', ['pack', '--silent', '--pack-destination', HOME], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
    .trim()
    .split('\n')
    .slice(-1);
  execFileSync('tar', ['-xzf', join(HOME, tarball), '--strip-components=1', '-C', installed]);
  rmSync(join(HOME, tarball));
  const link = (from: string, name: string) => symlinkSync(join(from, name), join(HOME, 'node_modules', name));
  for (const name of ['mqtt-packet', '@noble']) link(join(ROOT, 'node_modules'), name);
  for (const name of ['mqtt', 'u8-mqtt', 'mqtts', 'paho-mqtt']) link(join(BENCH, 'node_modules'), name);
  return HOME;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>;
}

/** Where a package finds another: beside or above it. */
function placeOf(lock: Lock, from: string, name: string): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (lock.packages[place]) return place;
    if (at === '') throw new Error(`${name} is not in the lock file`);
  }
}

/** Every package that comes with some, by the lock file of a folder. */
function closure(folder: string, names: readonly string[]): string[] {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as Lock;
  const found = new Set<string>();
  const add = (place: string) => {
    if (found.has(place)) return;
    found.add(place);
    for (const name of Object.keys(lock.packages[place]?.dependencies ?? {})) add(placeOf(lock, place, name));
  };
  for (const name of names) add(placeOf(lock, '', name));
  return [...found].map((place) => join(folder, place));
}

/** Bytes of the files below a folder, packages within it aside. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(parentPath, name);
    const isOwn = !path.slice(folder.length).includes('/node_modules/');
    if (isOwn && existsSync(path) && statSync(path).isFile()) bytes += statSync(path).size;
  }
  return bytes;
}

export interface Installed {
  /** Beside the package itself. */
  readonly packages: number;
  readonly bytes: number;
}

/** @param home where {@link installPacked} has put the package */
export function installations(home: string): Record<string, Installed> {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const sum = (places: readonly string[]) => places.reduce((bytes, place) => bytes + bytesBelow(place), 0);
  const theirs = (name: string) => {
    const places = closure(join(BENCH), [name]);
    return { packages: places.length - 1, bytes: sum(places) };
  };
  const own = closure(ROOT, Object.keys(dependencies));
  return {
    'mqtt-mote': { packages: own.length, bytes: sum([...own, join(home, 'node_modules', 'mqtt-mote')]) },
    'MQTT.js': theirs('mqtt'),
    'u8-mqtt': theirs('u8-mqtt'),
    mqtts: theirs('mqtts'),
    paho: theirs('paho-mqtt'),
  };
}
