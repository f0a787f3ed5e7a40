// Sessions in Espruino's flash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EspruinoFiles, storageRecords, storageSession } from '../../src/espruino.ts';
import { exactlyOnce } from '../../src/index.ts';
import { persistSession, type SessionStore } from '../../src/store.ts';
import { obligingly } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const MAX_NAME = 28;

/** Espruino's files. Changes from the one numbered `cutAt` on are lost: the power is gone. */
class Files implements EspruinoFiles {
  readonly files = new Map<string, Uint8Array>();
  changes = 0;
  cutAt = Number.POSITIVE_INFINITY;

  list(): string[] {
    return [...this.files.keys()];
  }

  readArrayBuffer(name: string): ArrayBuffer | undefined {
    return this.files.get(name)?.buffer as ArrayBuffer | undefined;
  }

  write(name: string, content: Uint8Array): boolean {
    assert.ok(name.length <= MAX_NAME && content.length > 0);
    this.erase(name);
    const file = new Uint8Array(content.length).fill(255);
    this.change(() => this.files.set(name, file));
    this.change(() => file.set(content));
    return true;
  }

  erase(name: string): void {
    if (this.files.has(name)) this.change(() => this.files.delete(name));
  }

  private change(run: () => void): void {
    if (++this.changes < this.cutAt) run();
  }
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 255);

function recordsOf(store: SessionStore): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  store.each((key, record) => {
    assert.equal(found[key], undefined, `${key} was visited twice`);
    found[key] = record;
  });
  return found;
}

test("each record is visited once, and nobody else's is touched", () => {
  const files = new Files();
  const others = [
    '.bootcde',
    'session',
    'session.',
    'session.o1',
    'session.o1.2',
    'session.o1.0.x',
    'session.x.0',
    'x.o1.0',
  ];
  for (const name of others) files.write(name, bytes(20));
  storageRecords(files).put('o1', bytes(3));
  const store = storageSession(files, 'session');
  store.put('o1', bytes(9));
  store.put('offff', bytes(1_500));
  store.put('i1', bytes(10));
  const o1 = files.readArrayBuffer('session.o1.0')!;
  files.write('session.o1.1', new Uint8Array(o1)); // As a cut leaves it that comes before the old one is erased.
  assert.deepEqual(recordsOf(store), { o1: bytes(9), offff: bytes(1_500), i1: bytes(10) });
  for (const key of ['o1', 'offff', 'i1', 'i2']) store.remove(key);
  assert.deepEqual(files.list(), [...others, 'mote.o1.0']);
});

test('wherever the power is cut, a new record is there whole or not at all, and what is torn is swept', () => {
  for (let cutAt = 1; cutAt < 4; cutAt++) {
    const files = new Files();
    files.cutAt = cutAt;
    storageSession(files, 'session').put('o1', bytes(100));
    files.cutAt = Number.POSITIVE_INFINITY;
    const found = recordsOf(storageSession(files, 'session'));
    assert.deepEqual([found, files.list()], cutAt < 3 ? [{}, []] : [{ o1: bytes(100) }, ['session.o1.0']]);
  }
});

test('wrong options are refused', () => {
  for (const prefix of ['', 'eleven-long', 'a.b', 'ä', 'mote', undefined as never]) {
    assert.throws(() => storageSession(new Files(), prefix), { code: 'bad-option', message: /^prefix/ });
  }
  const { readArrayBuffer, write, erase } = new Files();
  assert.throws(() => storageSession({ readArrayBuffer, write, erase } as never, 's'), /storage\.list/);
  assert.throws(() => storageSession({ list: () => [] } as never, 's'), /storage\.readArrayBuffer/);
});

/** A client that has just been switched on. */
function bootUp(files: Files): World {
  const it = world({ delivery: exactlyOnce });
  persistSession(it.client, storageSession(files, 'session'));
  return it;
}

test('what is in flight outlives the power, and is sent again with DUP', () => {
  const files = new Files();
  const first = bootUp(files);
  first.connect();
  first.client.publish('one', bytes(1_500), { qos: 1 });
  first.client.publish('two', bytes(5), { qos: 2 });
  first.settle();
  assert.equal(first.server.current.of('publish').length, 2);

  const second = bootUp(files);
  second.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
    else obligingly(packet, connection);
  };
  second.connect();
  const sent = second.server.current.of('publish').map((it) => [it.topic, it.dup, it.payload.length]);
  assert.deepEqual(sent, [
    ['one', true, 1_500],
    ['two', true, 5],
  ]);
  assert.deepEqual(files.list(), [], 'everything was acknowledged');
});
