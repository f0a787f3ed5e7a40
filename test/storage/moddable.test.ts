// Session stores on Moddable, over fakes as strict as its storage: short keys, short values, other people's records, and a
// power cut before and after every single write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactlyOnce } from '../../src/index.ts';
import {
  type KeyValueStorage,
  keyValueRecords,
  keyValueStore,
  type PreferenceStorage,
  preferenceRecords,
  preferenceStore,
} from '../../src/moddable.ts';
import {
  type Cells,
  cellKeyValueStore,
  cellStore,
  type KeyValueStore,
  persistSession,
  type SessionStore,
} from '../../src/store.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const MAX_KEY = 15;
const MAX_VALUE = 4_000;

/** What survives. Writes after `cutAt` are lost: the power is gone. */
class Flash {
  readonly values = new Map<string, unknown>();
  writes = 0;
  cutAt = Number.POSITIVE_INFINITY;

  change(run: () => void): void {
    if (++this.writes < this.cutAt) run();
  }

  set(key: string, value: unknown): void {
    if (key.length > MAX_KEY || key === '') throw new Error('too long');
    if (!(value instanceof ArrayBuffer)) throw new Error('unsupported type');
    if (value.byteLength > MAX_VALUE) throw new Error('nvs set fail');
    const copy = value.slice(0);
    this.change(() => this.values.set(key, copy));
  }

  remove(key: string): void {
    this.change(() => this.values.delete(key));
  }
}

/** The key-value storage: reading a value of another type throws, and an iterator is disturbed by changes. */
function keyValue(flash: Flash): KeyValueStorage {
  let changes = 0;
  return {
    read(key) {
      const value = flash.values.get(key);
      if (value !== undefined && !(value instanceof ArrayBuffer)) throw new TypeError('mismatch');
      return value?.slice(0);
    },
    write(key, value) {
      changes++;
      flash.set(key, value);
    },
    delete(key) {
      changes++;
      if (!flash.values.has(key)) throw new Error('delete failed');
      flash.remove(key);
    },
    *[Symbol.iterator]() {
      const before = changes;
      for (const key of flash.values.keys()) {
        if (changes !== before) throw new Error('iterator');
        yield key;
      }
    },
  };
}

/** The preferences of ESP32: a value is erased before it is written again. */
function preference(flash: Flash): PreferenceStorage {
  const at = (domain: string) => assert.equal(domain, 'mqtt');
  return {
    get(domain, key) {
      at(domain);
      const value = flash.values.get(key);
      return value instanceof ArrayBuffer ? value.slice(0) : value;
    },
    set(domain, key, value) {
      at(domain);
      if (flash.values.has(key)) flash.remove(key);
      flash.set(key, value);
    },
    delete(domain, key) {
      at(domain);
      flash.remove(key);
    },
    keys(domain) {
      at(domain);
      return [...flash.values.keys(), ...flash.values.keys()]; // Each twice, as blobs may be.
    },
  };
}

const STORES: readonly [string, (flash: Flash) => SessionStore][] = [
  ['key-value storage', (flash) => keyValueStore(keyValue(flash))],
  ['preferences', (flash) => preferenceStore(preference(flash), 'mqtt')],
];

const bytes = (length: number, seed = 7): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 255);

function recordsOf(store: SessionStore): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  store.each((key, record) => {
    assert.equal(found[key], undefined, `${key} was visited twice`);
    found[key] = record.slice();
  });
  return found;
}

for (const [name, make] of STORES) {
  test(`${name}: records of every length around a cell come back as they were`, () => {
    const flash = new Flash();
    const store = make(flash);
    const lengths = [9, 100, 3_997, 3_998, 3_999, 7_998, 7_999, 20_000];
    for (const [i, length] of lengths.entries()) store.put(`o${(i + 1).toString(16)}`, bytes(length));
    const found = recordsOf(make(flash));
    assert.deepEqual(
      Object.values(found).map((it) => it.length),
      lengths,
    );
    for (const it of Object.values(found)) assert.deepEqual(it, bytes(it.length));
  });

  test(`${name}: what is removed is gone with all its cells, what is unknown is ignored`, () => {
    const flash = new Flash();
    const store = make(flash);
    store.put('offff', bytes(10_000));
    store.put('i1', bytes(9));
    assert.equal(flash.values.size, 4);
    store.remove('offff');
    store.remove('offff');
    store.remove('o77');
    assert.deepEqual([[...flash.values.keys()], Object.keys(recordsOf(store))], [['i1'], ['i1']]);
  });

  test(`${name}: other people's values are neither visited nor touched`, () => {
    const flash = new Flash();
    const others = ['wifi', 'o', 'o0', 'o10000', 'oxyz', 'i1f.x', 'o01', 'x.00', 'ssid.o1', 'o1.2a', 'o1.00'];
    for (const key of others) flash.values.set(key, key === 'wifi' ? 'secret' : bytes(20).buffer);
    flash.values.set('o5', 7);
    flash.values.set('o6', new ArrayBuffer(1));
    const store = make(flash);
    if (name === 'preferences') assert.deepEqual(recordsOf(store), {});
    else assert.throws(() => recordsOf(store), { message: 'mismatch' }); // A key of ours with a type that is not: a fault.
    flash.values.delete('o5');
    assert.deepEqual(recordsOf(store), {});
    assert.deepEqual([...flash.values.keys()], [...others, 'o6']);
  });
}

test('wherever the power is cut, a record in key-value storage is the old one or the new one, whole', () => {
  const sizes = [9, 5_000, 12_000];
  for (const from of sizes) {
    for (const to of sizes) {
      for (let cutAt = 1; cutAt < 12; cutAt++) {
        const flash = new Flash();
        keyValueStore(keyValue(flash)).put('o1', bytes(from, 3));
        flash.writes = 0;
        flash.cutAt = cutAt;
        keyValueStore(keyValue(flash)).put('o1', bytes(to, 5));
        flash.cutAt = Number.POSITIVE_INFINITY;
        const store = keyValueStore(keyValue(flash));
        const { o1 } = recordsOf(store);
        const isOld = o1!.length === from && Buffer.from(o1!).equals(bytes(from, 3));
        const isNew = o1!.length === to && Buffer.from(o1!).equals(bytes(to, 5));
        assert.ok(isOld || isNew, `${from} to ${to}, cut at ${cutAt}: ${o1?.length} bytes`);
        const cells = Math.max(0, Math.ceil((o1!.length - 3_998) / 4_000)) + 1;
        assert.equal(flash.values.size, cells, `${from} to ${to}, cut at ${cutAt}: cells left over`);
        store.remove('o1');
        assert.equal(flash.values.size, 0);
      }
    }
  }
});

test('wherever the power is cut, a removed record is there whole or not at all, and its cells are swept', () => {
  for (let cutAt = 1; cutAt < 6; cutAt++) {
    const flash = new Flash();
    keyValueStore(keyValue(flash)).put('o1', bytes(12_000));
    flash.writes = 0;
    flash.cutAt = cutAt;
    keyValueStore(keyValue(flash)).remove('o1');
    flash.cutAt = Number.POSITIVE_INFINITY;
    const { o1 } = recordsOf(keyValueStore(keyValue(flash)));
    if (cutAt === 1) assert.deepEqual(o1, bytes(12_000));
    else assert.deepEqual([o1, flash.values.size], [undefined, 0]);
  }
});

test('a write that fails leaves the record that was there, and the next one is whole', () => {
  const flash = new Flash();
  const storage = keyValue(flash);
  const store = keyValueStore(storage);
  store.put('o1', bytes(9_000, 3));
  const { write } = storage;
  let left = 1;
  storage.write = (key, value) => {
    if (left-- === 0) throw new Error('write failed');
    write(key, value);
  };
  assert.throws(() => store.put('o1', bytes(9_000, 5)), { message: 'write failed' });
  assert.deepEqual(recordsOf(store), { o1: bytes(9_000, 3) });
  left = 99;
  store.put('o1', bytes(9_000, 11));
  assert.deepEqual(recordsOf(store), { o1: bytes(9_000, 11) });
});

test('a record whose cell has got lost is left alone', () => {
  const flash = new Flash();
  const store = keyValueStore(keyValue(flash));
  store.put('o1', bytes(9_000));
  flash.values.delete('o1.01');
  assert.deepEqual(recordsOf(store), {});
});

test('cells can be shorter, and a record that needs more than 256 of them is refused before anything is written', () => {
  const flash = new Flash();
  const store = keyValueStore(keyValue(flash), { maxBytes: 64 });
  store.put('o1', bytes(256 * 64 - 2));
  assert.equal(flash.values.size, 256);
  assert.deepEqual(recordsOf(store), { o1: bytes(256 * 64 - 2) });
  assert.throws(() => store.put('o2', bytes(256 * 64 - 1)), { code: 'packet-too-large' });
  assert.equal(flash.values.size, 256);
});

const FAULTS: readonly [() => unknown, RegExp][] = [
  [() => keyValueStore(undefined as never), /storage\.read must be/],
  [() => keyValueStore({ read() {}, write() {} } as never), /storage\.delete must be/],
  [() => preferenceStore({} as never, 'mqtt'), /no get\(\)/],
  [() => preferenceStore(preference(new Flash()), ''), /1 to 15 characters/],
  [() => preferenceStore(preference(new Flash()), 'a-domain-too-long'), /1 to 15 characters/],
  [() => preferenceStore(preference(new Flash()), 5 as never), /1 to 15 characters/],
  [() => cellStore({} as Cells, { maxBytes: 63 }), /from 64 to 1048576, not 63/],
  [() => keyValueStore(keyValue(new Flash()), { maxBytes: Number.NaN }), /not NaN/],
];

test('wrong options are refused', () => {
  for (const [make, message] of FAULTS) assert.throws(make, { code: 'bad-option', message });
});

/** A client that has just been switched on. */
function bootUp(store: SessionStore): World {
  const it = world({ delivery: exactlyOnce });
  persistSession(it.client, store);
  return it;
}

for (const [name, make] of STORES) {
  test(`${name}: 10 KB in flight outlives the power, and is sent again with DUP`, () => {
    const flash = new Flash();
    const before = bootUp(make(flash));
    before.connect();
    before.client.publish('big', bytes(10_240), { qos: 1 });
    before.client.publish('small', bytes(5), { qos: 2 });
    before.settle();
    assert.equal(before.server.current.of('publish').length, 2);

    const after = bootUp(make(flash));
    after.server.respond = (packet, connection) => {
      if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
      else obligingly(packet, connection);
    };
    after.connect();
    const sent = after.server.current.of('publish');
    assert.deepEqual(
      sent.map((it) => [it.topic, it.dup, it.payload.length]),
      [
        ['big', true, 10_240],
        ['small', true, 5],
      ],
    );
    assert.deepEqual(new Uint8Array(sent[0]!.payload as Buffer), bytes(10_240));
    assert.equal(flash.values.size, 0, 'everything was acknowledged');
    after.server.respond = politely;
  });
}

// Records of identities and roots, in the same storage.

const RECORDS: readonly [string, (flash: Flash) => KeyValueStore][] = [
  ['key-value storage', (flash) => keyValueRecords(keyValue(flash))],
  ['preferences', (flash) => preferenceRecords(preference(flash), 'mqtt')],
];

for (const [name, make] of RECORDS) {
  test(`${name}: a record of any length is kept under a key of any length, until it is removed`, () => {
    const flash = new Flash();
    flash.values.set('identity.x', bytes(5).buffer);
    for (const [i, length] of [0, 1, 3_998, 3_999, 20_000, 63_998].entries()) {
      const key = ['identity', 't-private', 't-12345678-1', 'x'][i % 4]!;
      make(flash).put(key, bytes(length));
      assert.deepEqual(make(flash).get(key), bytes(length), `${length} bytes`);
    }
    for (const key of ['identity', 't-private', 't-12345678-1', 'x', 'unknown']) {
      make(flash).remove(key);
      assert.equal(make(flash).get(key), undefined);
    }
    assert.deepEqual([...flash.values.keys()], ['identity.x'], "what is somebody else's stays");
  });

  test(`${name}: a record that 16 cells do not hold is refused before anything is written; so is a key that is none`, () => {
    const flash = new Flash();
    make(flash).put('x', bytes(9));
    assert.throws(() => make(flash).put('x', bytes(63_999)), {
      code: 'packet-too-large',
      message: 'a record of 63999 bytes is too long to store',
    });
    assert.deepEqual(make(flash).get('x'), bytes(9));
    for (const key of ['', 'Identity', 'thirteen-keys']) {
      for (const use of [
        () => make(flash).get(key),
        () => make(flash).put(key, bytes(1)),
        () => make(flash).remove(key),
      ]) {
        assert.throws(use, { code: 'bad-option', reason: 'key' });
      }
    }
  });

  test(`${name}: wherever the power is cut, what was kept is the old record, or the new one, or (in preferences) none`, () => {
    for (const [from, to] of [
      [9, 9],
      [9, 9_000],
      [9_000, 9],
      [12_000, 9_000],
    ] as const) {
      for (let cutAt = 1; cutAt < 14; cutAt++) {
        const flash = new Flash();
        make(flash).put('identity', bytes(from, 3));
        flash.writes = 0;
        flash.cutAt = cutAt;
        make(flash).put('identity', bytes(to, 5));
        flash.cutAt = Number.POSITIVE_INFINITY;
        const found = make(flash).get('identity');
        const isWhole = [bytes(from, 3), bytes(to, 5)].some((it) => found && Buffer.from(it).equals(found));
        assert.ok(isWhole || (name === 'preferences' && !found), `${from} to ${to}, cut at ${cutAt}`);
        make(flash).put('identity', bytes(1));
        assert.deepEqual([...flash.values.keys()], ['identity'], 'no cell is left over');
      }
    }
  });
}

test('records in cells of another size', () => {
  const flash = new Flash();
  const storage = keyValue(flash);
  const cells: Cells = {
    read: (key) => storage.read(key) as ArrayBuffer | undefined,
    write: (key, value) => storage.write(key, value.slice().buffer as ArrayBuffer),
    remove: (key) => storage.delete(key),
    keys: () => [...flash.values.keys()],
  };
  const store = cellKeyValueStore(cells, { maxBytes: 64 });
  store.put('identity', bytes(200));
  assert.deepEqual(store.get('identity'), bytes(200));
  assert.equal(flash.values.size, 4);
  assert.throws(() => cellKeyValueStore(cells, { maxBytes: 63 }), { code: 'bad-option' });
});

test('storage that is none is refused', () => {
  assert.throws(() => keyValueRecords({} as never), { code: 'bad-option', message: 'storage.read must be a function' });
  assert.throws(() => preferenceRecords({} as never, 'x'), { code: 'bad-option', message: 'preference has no get()' });
  assert.throws(() => preferenceRecords(preference(new Flash()), ''), {
    code: 'bad-option',
    message: 'domain must have 1 to 15 characters',
  });
});
