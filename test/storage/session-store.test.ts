// Sessions that outlive a power loss: what is restored, in which order, and what a torn record does.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exactlyOnce, mqttPacketFraming, type QoS } from '../../src/index.ts';
import { nodeFolderStore } from '../../src/node.ts';
import { persistSession, type SessionStore } from '../../src/store.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

/** Records in memory, and a count of what was done. */
class Flash implements SessionStore {
  readonly records = new Map<string, Uint8Array>();
  writes = 0;
  /** The power goes at this write: it and everything after is lost. */
  cutAt = Number.POSITIVE_INFINITY;

  put(key: string, record: Uint8Array): void {
    if (++this.writes < this.cutAt) this.records.set(key, record.slice());
  }
  remove(key: string): void {
    if (++this.writes < this.cutAt) this.records.delete(key);
  }
  each(visit: (key: string, record: Uint8Array) => void): void {
    for (const [key, record] of [...this.records].reverse()) visit(key, record);
  }
}

/** A client that has just been switched on, with what the store kept. */
function bootUp(store: SessionStore): World & { restored: number } {
  const it = world({ delivery: exactlyOnce });
  const restored = persistSession(it.client, store);
  return { ...it, restored };
}

const resume: typeof politely = (packet, connection) => {
  if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
};

const publish = (it: World, text: string, qos: QoS) => it.client.publish(`t/${text}`, text, { qos, retain: qos === 2 });

test('[MQTT-4.1.0-1] what was in flight is sent again after a power loss: same identifiers, same order, DUP', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  for (const [text, qos] of [
    ['one', 1],
    ['zwei', 2],
    ['трі', 1],
    ['四', 2],
    ['🙂', 1],
  ] as const)
    publish(before, text, qos);
  before.settle();
  const sent = before.server.current.of('publish');
  const after = bootUp(flash);
  after.server.respond = resume;
  assert.equal(after.restored, 5);
  after.connect();
  const again = after.server.current.of('publish');
  const plain = ({ topic, payload, qos, retain, messageId }: (typeof sent)[number]) => [
    topic,
    payload.toString(),
    qos,
    retain,
    messageId,
  ];
  assert.deepEqual(again.map(plain), sent.map(plain));
  assert.deepEqual(
    again.map(({ dup }) => dup),
    [true, true, true, true, true],
  );
});

test('[MQTT-2.3.1-2] restored identifiers are reserved: new messages get others', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  for (let n = 0; n < 3; n++) publish(before, String(n), 1);
  before.settle();
  const after = bootUp(flash);
  after.server.respond = resume;
  after.connect();
  publish(after, 'new', 1);
  after.settle();
  assert.deepEqual(
    after.server.current.of('publish').map(({ messageId }) => messageId),
    [1, 2, 3, 4],
  );
});

test('[MQTT-4.3.3-1] after PUBREC only PUBREL is sent again, and the payload is not kept', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  before.client.publish('t', 'x'.repeat(1_000), { qos: 2 });
  before.settle();
  before.server.current.send({ cmd: 'pubrec', messageId: 1 });
  before.settle();
  assert.equal([...flash.records.values()][0]?.length, 9);
  const after = bootUp(flash);
  after.server.respond = resume;
  after.connect();
  assert.deepEqual(
    after.server.current.received.map(({ cmd }) => cmd),
    ['connect', 'pubrel'],
  );
  after.server.current.send({ cmd: 'pubcomp', messageId: 1 });
  after.settle();
  assert.equal(flash.records.size, 0);
});

test('[MQTT-4.3.3-2] an inbound QoS 2 identifier is remembered: not delivered again after a power loss', () => {
  const flash = new Flash();
  const message = { cmd: 'publish', topic: 't', payload: 'x', qos: 2, messageId: 77, retain: false } as const;
  const before = bootUp(flash);
  before.connect();
  before.server.current.send({ ...message, dup: false });
  before.settle();
  assert.equal(before.messages.length, 1);
  const after = bootUp(flash);
  after.server.respond = resume;
  after.connect();
  after.server.current.send({ ...message, dup: true });
  after.settle();
  assert.equal(after.messages.length, 0);
  assert.deepEqual(
    after.server.current.of('pubrec').map(({ messageId }) => messageId),
    [77],
  );
  after.server.current.send({ cmd: 'pubrel', messageId: 77 });
  after.settle();
  assert.equal(flash.records.size, 0);
});

test('everything acknowledged leaves nothing in the store', () => {
  const flash = new Flash();
  const it = bootUp(flash);
  it.server.respond = obligingly;
  it.connect();
  for (let n = 0; n < 30; n++) publish(it, String(n), ((n % 2) + 1) as QoS);
  it.settle();
  assert.equal(flash.records.size, 0);
  assert.ok(flash.writes > 60, 'each was stored and removed');
});

test('[MQTT-3.1.2-6] a session that the server has lost is lost here too: new identifiers, nothing stale', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  publish(before, 'a', 1);
  before.server.current.send({
    cmd: 'publish',
    topic: 't',
    payload: 'x',
    qos: 2,
    messageId: 5,
    dup: false,
    retain: false,
  });
  before.settle();
  const after = bootUp(flash);
  after.server.respond = obligingly; // Session Present 0.
  after.connect();
  assert.deepEqual(
    after.server.current.of('publish').map(({ dup }) => dup),
    [false],
  );
  assert.equal(flash.records.size, 0);
});

test('the power may go at any write: what is stored is sent again, and no stored QoS 2 message comes twice', () => {
  const run = (cutAt: number) => {
    const flash = new Flash();
    flash.cutAt = cutAt;
    const before = bootUp(flash);
    before.server.respond = politely;
    before.connect();
    const inbound = { cmd: 'publish', topic: 'd', payload: 'x', qos: 2, retain: false } as const;
    for (let messageId = 1; messageId <= 4; messageId++) {
      publish(before, String(messageId), ((messageId % 2) + 1) as QoS);
      before.server.current.send({ ...inbound, messageId, dup: false });
      before.settle();
      obligingly(before.server.current.of('publish').at(-1)!, before.server.current);
      before.settle();
    }
    const keys = [...flash.records.keys()];
    const idsOf = (kind: string) =>
      keys.filter((key) => key.startsWith(kind)).map((key) => Number(`0x${key.slice(1)}`));
    const after = bootUp(flash);
    after.server.respond = resume;
    after.connect();
    const { received } = after.server.current;
    const sentAgain = received
      .filter(({ cmd }) => cmd === 'publish' || cmd === 'pubrel')
      .map(({ messageId }) => messageId);
    assert.deepEqual(sentAgain.sort(), idsOf('o').sort(), `power cut at write ${cutAt}`);
    for (const messageId of idsOf('i')) after.server.current.send({ ...inbound, messageId, dup: true });
    after.settle();
    assert.equal(after.messages.length, 0, `power cut at write ${cutAt}`);
    return flash.writes;
  };
  const writes = run(Number.POSITIVE_INFINITY);
  assert.ok(writes >= 12, `${writes} writes`);
  for (let cutAt = 1; cutAt <= writes; cutAt++) run(cutAt);
});

test('records that are torn, foreign or of another version are left alone', () => {
  const flash = new Flash();
  const bad: [string, number[]][] = [
    ['o1', []],
    ['o2', [1, 0, 0, 0, 0, 0, 1, 0, 9, 65]],
    ['o3', [2, 0, 0, 0, 0, 0, 1, 0, 0]],
    ['o0', [1, 0, 0, 0, 0, 0, 1, 0, 0]],
    ['x1', [1, 0, 0, 0, 0, 0, 1, 0, 0]],
    ['o5', [1, 9, 0, 0, 0, 0, 1, 0, 0]],
    ['config', [1, 2, 3]],
  ];
  for (const [key, record] of bad) flash.put(key, Uint8Array.from(record));
  const it = bootUp(flash);
  assert.equal(it.restored, 0);
  assert.equal(flash.records.size, bad.length);
});

test('records that this client may not send are left alone: too large, of QoS 2 without it, not legal', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  publish(before, 'x'.repeat(500), 1);
  publish(before, 'two', 2);
  publish(before, 'fine', 1);
  before.settle();
  flash.put('o9', Uint8Array.from([1, 0, 0, 0, 0, 9, 3, 0, 1, 65]));
  flash.put('oa', Uint8Array.from([1, 0, 0, 0, 0, 9, 1, 0, 0]));
  flash.put('ob', Uint8Array.from([1, 0, 0, 0, 0, 9, 1, 0, 1, 0xff]));
  const after = world({ framing: mqttPacketFraming(256) });
  assert.equal(persistSession(after.client, flash), 1);
  after.server.respond = resume;
  after.connect();
  assert.deepEqual(
    after.server.current.of('publish').map(({ topic }) => topic),
    ['t/fine'],
  );
  assert.equal(flash.records.size, 6);
});

test('the order survives a wrap of the sequence number', () => {
  const flash = new Flash();
  for (const [key, sequence] of [
    ['o1', 0xff_ff_ff_fe],
    ['o2', 0xff_ff_ff_ff],
    ['o3', 0],
    ['o4', 1],
  ] as const) {
    const numbers = [sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence].map((it) => it & 255);
    flash.put(key, Uint8Array.from([1, 0, ...numbers, 1, 0, 1, 65]));
  }
  const it = bootUp(flash);
  it.server.respond = resume;
  it.connect();
  assert.deepEqual(
    it.server.current.of('publish').map(({ messageId }) => messageId),
    [1, 2, 3, 4],
  );
});

test('persistSession() after something was published is refused', () => {
  const it = world();
  it.connect();
  publish(it, 'x', 1);
  assert.throws(() => persistSession(it.client, new Flash()), { code: 'bad-option' });
});

test('a folder on Node keeps records as files, and ignores what is not one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-'));
  const before = bootUp(nodeFolderStore(join(folder, 'device')));
  before.connect();
  publish(before, 'kept', 1);
  before.settle();
  writeFileSync(join(folder, 'device', 'note.txt'), 'mine');
  assert.deepEqual(readdirSync(join(folder, 'device')).sort(), ['note.txt', 'o1']);
  const after = bootUp(nodeFolderStore(join(folder, 'device')));
  after.server.respond = obligingly;
  after.connect();
  assert.equal(after.server.current.of('publish')[0]?.payload.toString(), 'kept');
  assert.deepEqual(readdirSync(join(folder, 'device')), ['note.txt']);
  rmSync(folder, { recursive: true });
});

test('[MQTT-2.3.1-2] the identifier of a record that this client may not send stays reserved, and so the record', () => {
  const flash = new Flash();
  const before = bootUp(flash);
  before.connect();
  publish(before, 'two', 2);
  before.settle();
  const after = world();
  persistSession(after.client, flash);
  after.server.respond = resume;
  after.connect();
  publish(after, 'one', 1);
  assert.deepEqual([...flash.records.keys()], ['o1', 'o2']);
});

test('a store that fails at any write or removal costs connections, and no message', () => {
  for (let failAt = 1; failAt <= 12; failAt++) {
    const flash = new Flash();
    const store: SessionStore = {
      put: (key, record) => flash.put(key, failing(record)),
      remove: (key) => flash.remove(failing(key)),
      each: (visit) => flash.each(visit),
    };
    let calls = 0;
    const failing = <T>(it: T): T => {
      if (++calls === failAt) throw new Error('EIO');
      return it;
    };
    const it = bootUp(store);
    const ends: string[] = [];
    for (const qos of [1, 2, 1, 2] as const) {
      it.client.publish(`t/${qos}`, 'x', { qos }, (error) => ends.push(error?.code ?? 'done'));
    }
    it.connect();
    it.server.current.peer.close(); // The server loses the session, too.
    it.server.respond = obligingly;
    it.time.advance(600_000);
    assert.deepEqual([ends, it.client.stats().inFlight], [['done', 'done', 'done', 'done'], 0], `write ${failAt}`);
    assert.deepEqual([...flash.records.keys()].filter((key) => key.startsWith('o')).length <= 1, true);
  }
});
