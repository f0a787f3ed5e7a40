// Which names a filter matches (4.7).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches, matchLevels } from '../../src/protocol/topic.ts';
import { matches as reference } from '../simulation/session.ts';

const CASES: readonly [clause: string, filter: string, yes: readonly string[], no: readonly string[]][] = [
  ['MQTT-4.7.1-2', 'sport/#', ['sport', 'sport/', 'sport/tennis/player1'], ['sports', 'a/sport']],
  ['MQTT-4.7.1-2', '#', ['a', '/', 'a/b/c'], ['$SYS', '$SYS/a']],
  ['MQTT-4.7.1-3', 'sport/+', ['sport/', 'sport/a'], ['sport', 'sport/a/b']],
  ['MQTT-4.7.1-3', '+/+', ['/finance', 'a/b'], ['finance', '$SYS/a', 'a/b/c']],
  ['MQTT-4.7.1-3', '/+', ['/finance'], ['finance', 'a/finance']],
  ['MQTT-4.7.1-3', '+/b/#', ['a/b', 'a/b/c'], ['b', 'a/c/b']],
  ['MQTT-4.7.2-1', '$SYS/#', ['$SYS', '$SYS/monitor'], ['SYS']],
  ['MQTT-4.7.2-1', '$SYS/monitor/+', ['$SYS/monitor/Clients'], ['$SYS/monitor']],
  ['MQTT-4.7.3-4', 'A//b', ['A//b'], ['a//b', 'A/b', 'A//b/', '/A//b']],
  ['MQTT-4.7.3-4', 'caf\u00e9', ['caf\u00e9'], ['cafe\u0301']],
];

for (const [clause, filter, yes, no] of CASES) {
  test(`[${clause}] ${filter} matches ${yes.join(' ')} and not ${no.join(' ')}`, () => {
    for (const topic of yes) assert.ok(matches(filter, topic), topic);
    for (const topic of no) assert.ok(!matches(filter, topic), topic);
  });
}

test('[4.7.1] what the wildcards stood for is captured: a level for each +, the rest for #', () => {
  const captured: string[] = [];
  assert.ok(matchLevels(['+', 'b', '+', '#'], ['a', 'b', 'c', 'd', 'e'], captured));
  assert.deepEqual(captured, ['a', 'c', 'd/e']);
});

test('[4.7.1] filters and names of a few levels match where a simple reference says so', () => {
  const level = fc.constantFrom('', 'a', 'b');
  const topic = fc.array(level, { minLength: 1, maxLength: 4 });
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.constantFrom('a', '+', '#'))
    .map(([levels, last]) => [...levels, last].join('/'));
  fc.assert(
    fc.property(filter, topic, (wanted, levels) => {
      const name = levels.join('/');
      assert.equal(matches(wanted, name), reference(wanted, name));
    }),
    { numRuns: 2_000 },
  );
});
