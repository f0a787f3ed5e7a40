// Records in Espruino's flash, over a fake as hard as it: a file is erased before it is written again, and the power may go in
// the middle of either.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register, storedIdentity } from '../../src/enrolment.ts';
import { type EspruinoStorage, storageRecords } from '../../src/espruino.ts';
import { getSealed, putSealed } from '../../src/storage/sealed.ts';
import { RootStore } from '../../src/trust.ts';
import { makeRoot } from '../support/trust-world.ts';

const MAX_NAME = 28;

class FakeStorage implements EspruinoStorage {
  readonly files = new Map<string, Uint8Array>();
  /** Steps until the power goes; half of what is written then is there. */
  left = Number.POSITIVE_INFINITY;
  room = 100_000;

  private step(): boolean {
    return this.left-- > 0;
  }

  readArrayBuffer(name: string): ArrayBuffer | undefined {
    return this.files.get(name)?.buffer as ArrayBuffer | undefined; // The flash itself, not a copy.
  }

  write(name: string, content: Uint8Array): boolean {
    assert.ok(name.length <= MAX_NAME && content.length > 0);
    if (content.length > this.room) return false;
    if (this.files.has(name)) this.erase(name);
    const file = new Uint8Array(content.length).fill(0xff);
    if (this.step()) this.files.set(name, file);
    file.set(content.subarray(0, content.length >> 1));
    if (this.step()) file.set(content);
    return true;
  }

  erase(name: string): void {
    const file = this.files.get(name);
    if (!this.step() || !file) return;
    file.fill(0);
    this.files.delete(name);
  }
}

const bytes = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * seed) & 255);

test('a record is kept until it is replaced or removed, in one file at a time', () => {
  const flash = new FakeStorage();
  const store = storageRecords(flash);
  assert.equal(store.get('identity'), undefined);
  for (let i = 0; i < 600; i++) {
    store.put('identity', bytes(i, 7));
    assert.deepEqual(storageRecords(flash).get('identity'), bytes(i, 7), `the ${i}th`);
    assert.equal(flash.files.size, 1);
  }
  store.put('t-12345678-1', bytes(5_000, 3));
  store.remove('identity');
  store.remove('identity');
  assert.equal(store.get('identity'), undefined);
  assert.deepEqual([...flash.files.keys()], ['mote.t-12345678-1.0']);
});

test('what was read does not change with the flash', () => {
  const flash = new FakeStorage();
  const store = storageRecords(flash);
  store.put('identity', bytes(9, 5));
  const found = store.get('identity');
  store.put('identity', bytes(9, 6));
  store.put('identity', bytes(9, 7));
  assert.deepEqual(found, bytes(9, 5));
});

test('wherever the power is cut, what was kept is the old record or the new one, and the next one is kept', () => {
  for (let writes = 1; writes < 5; writes++) {
    for (let cutAt = 0; cutAt < 6; cutAt++) {
      const flash = new FakeStorage();
      for (let i = 0; i < writes; i++) storageRecords(flash).put('identity', bytes(20, 3));
      flash.left = cutAt;
      storageRecords(flash).put('identity', bytes(30, 5));
      flash.left = Number.POSITIVE_INFINITY;
      const found = storageRecords(flash).get('identity');
      assert.ok(found);
      assert.deepEqual(found, found.length === 20 ? bytes(20, 3) : bytes(30, 5), `cut at ${cutAt}`);
      storageRecords(flash).put('identity', bytes(40, 7));
      assert.deepEqual(storageRecords(flash).get('identity'), bytes(40, 7));
    }
  }
});

test('wherever the power is cut while a record is removed, it is there whole or not at all, and an older one never comes back', () => {
  for (let cutAt = 0; cutAt < 3; cutAt++) {
    const flash = new FakeStorage();
    storageRecords(flash).put('identity', bytes(20, 3));
    flash.left = 2; // Written, and the older file is still there.
    storageRecords(flash).put('identity', bytes(30, 5));
    assert.equal(flash.files.size, 2);
    flash.left = cutAt;
    storageRecords(flash).remove('identity');
    flash.left = Number.POSITIVE_INFINITY;
    const found = storageRecords(flash).get('identity');
    assert.deepEqual(found, cutAt < 2 ? bytes(30, 5) : undefined, `cut at ${cutAt}`);
  }
});

test('no room is an error, and what was there stays', () => {
  const flash = new FakeStorage();
  const store = storageRecords(flash);
  store.put('identity', bytes(20, 3));
  flash.room = 10;
  assert.throws(() => store.put('identity', bytes(20, 5)), {
    code: 'host-failed',
    message: 'there is no room in the flash for the record identity',
  });
  assert.deepEqual(store.get('identity'), bytes(20, 3));
});

test('wrong input: what is no Storage, and what is no key, are refused', () => {
  assert.throws(() => storageRecords({} as never), {
    code: 'bad-option',
    message: 'storage.readArrayBuffer must be a function',
  });
  const store = storageRecords(new FakeStorage());
  for (const use of [() => store.get('a.b'), () => store.put('', bytes(1, 1)), () => store.remove('thirteen-keys')]) {
    assert.throws(use, { code: 'bad-option', reason: 'key' });
  }
});

test('an identity and a replaced set of roots are found again after a restart', async () => {
  const flash = new FakeStorage();
  const now = Date.UTC(2026, 10, 1);
  const [before, later] = [await makeRoot('before', now), await makeRoot('later', now)];
  const method = register({ productKey: 'pk', deviceName: 'device', productSecret: 's' });
  const record = { kind: 'register', productKey: 'pk', deviceName: 'device', deviceSecret: 'given' };
  putSealed(storageRecords(flash), 'identity', new TextEncoder().encode(JSON.stringify(record)));
  const open = () =>
    new RootStore({ store: storageRecords(flash), wallClock: () => now, sets: { private: before.pem } });
  const roots = open();
  assert.equal(roots.replace('private', later.pem), true);
  roots.prove(roots.choose('private'));
  assert.equal(open().inUse('private')[0]?.subject, 'later');
  assert.ok(storedIdentity(storageRecords(flash), method));
  assert.ok(getSealed(storageRecords(flash), 't-private'));
});
