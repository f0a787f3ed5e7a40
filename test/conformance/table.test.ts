// The generated table is complete, true and fresh.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  citedIn,
  isClause,
  isStale,
  labelsOf,
  makeReport,
  readClauses,
  readPlaces,
  readSource,
  readTests,
} from './table.ts';

test('every clause of the client has a test, and every pain', () => {
  assert.deepEqual(makeReport().untested, []);
});

test('every clause of the client has a place in src, and each place that the list names exists', () => {
  assert.deepEqual(makeReport().unsourced, []);
  const places = readPlaces();
  const named = readClauses().clauses.flatMap(({ by = [] }) => by);
  assert.deepEqual(
    named.filter((it) => !places.has(it)),
    [],
  );
});

test('every clause that a test or a line of src names exists', () => {
  assert.deepEqual(makeReport().unknown, []);
});

test('README.md is what tsx test/conformance/table.ts writes now', () => {
  assert.ok(!isStale(makeReport()), 'stale: run tsx test/conformance/table.ts');
});

test('the list names each clause once, and gives a reason for each that is the server’s part', () => {
  const { clauses } = readClauses();
  assert.equal(new Set(clauses.map(({ id }) => id)).size, clauses.length);
  assert.deepEqual(
    clauses.filter(({ who, reason }) => who === 'P' && !reason),
    [],
  );
});

test('labels are read from the beginning of a title, clauses apart from others', () => {
  const labels = labelsOf('[MQTT-2.3.1-1] [3.2.0 (SHOULD)] [row 4] a title [MQTT-9.9.9-9]');
  assert.deepEqual(labels, ['MQTT-2.3.1-1', '3.2.0 (SHOULD)', 'row 4']);
  assert.deepEqual(labels.filter(isClause), ['MQTT-2.3.1-1', '3.2.0 (SHOULD)']);
  assert.deepEqual(labelsOf('a title'), []);
});

test('citations are read from comments: clauses in brackets, sections in parentheses, nothing else', () => {
  assert.deepEqual(citedIn(' one [MQTT-2.3.1-1] and (1.5.3, 4.7), 24.8 (days), (0.5), (2) or (49.7 days)'), [
    'MQTT-2.3.1-1',
    '1.5.3',
    '4.7',
  ]);
});

test('places are functions, methods and constants of files', () => {
  const places = (id: string) => readSource().flatMap((it) => (it.id === id ? [it.place] : []));
  assert.ok(places('MQTT-2.3.1-1').includes('protocol/session.ts Session.nextPacketId'));
  assert.ok(places('MQTT-1.5.3-1').includes('utf8.ts readUtf8'));
  assert.ok(places('4.3.2').includes('protocol/delivery.ts'));
  assert.ok(places('1.5.3').includes('utf8.ts'));
});

test('the faults of the peers are all there', () => {
  assert.ok(readTests().faults.length >= 21);
});
