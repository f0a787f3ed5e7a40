// Topic names and filters (4.7): what may be sent, and what the router of the client matches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from '../../src/router.ts';
import { world } from '../support/world.ts';
import { assertRefused, connected, faultOf, message, online, publish, receive } from './support.ts';

/** Why the client does not publish to a topic. */
const topicFault = (topic: string) => faultOf(() => world().client.publish(topic, 'x'));

/** Why the client does not subscribe to a filter. */
const filterFault = (filter: string) => faultOf(() => world().client.subscribe(filter));

/** Which of the filters get a message with this topic from the router. */
function matching(topic: string, ...filters: string[]): string[] {
  const it = online();
  const router = new Router(it.client);
  const called: string[] = [];
  for (const filter of filters) router.handle(filter, () => called.push(filter));
  receive(it, publish({ topic }));
  return called;
}

/** Each line: a topic, then filters that match it, then behind a bar filters that do not. */
function assertMatches(lines: readonly string[]): void {
  for (const line of lines) {
    const [topic = '', good = '', bad = ''] = line.split(' : ');
    const words = (text: string) => text.split(' ').filter(Boolean);
    assert.deepEqual(matching(topic, ...words(good), ...words(bad)), words(good), line);
  }
}

test('[MQTT-4.7.1-1] a topic name has no wildcards', () => {
  for (const topic of ['+', '#', 'a/+/b', 'a/#', 'a+', '#a']) assert.equal(topicFault(topic), 'bad-topic MQTT-3.3.2-2');
});

test('[MQTT-4.7.1-2] # stands alone or after /, and last', () => {
  for (const filter of ['#', '/#', 'a/#', '+/#']) assert.equal(filterFault(filter), 'none');
  for (const filter of ['a#', '#/a', 'a/#/b', '##', 'a/b#', '#/#']) {
    assert.equal(filterFault(filter), 'bad-filter MQTT-4.7.1-2');
  }
});

test('[MQTT-4.7.1-3] + fills a whole level', () => {
  for (const filter of ['+', '+/+', 'a/+', '+/a/#', '/+', '+/']) assert.equal(filterFault(filter), 'none');
  for (const filter of ['a+', '+a', 'a/b+', '++', 'a/+b/c']) {
    assert.equal(filterFault(filter), 'bad-filter MQTT-4.7.1-3');
  }
});

test('[4.7.1.2 (match)] # matches its parent level and every level below, and names with $ only behind a level', () => {
  assertMatches([
    'sport : sport/# # : sport/+/# sport/a/#',
    'sport/tennis/player1 : sport/tennis/player1/# sport/# # : sports/# sport/golf/#',
    '/ : # /# : sport/#',
    '$SYS/a : $SYS/# : # +/#',
  ]);
});

test('[4.7.1.3 (match)] + matches one level, an empty one too', () => {
  assertMatches([
    'sport/ : sport/+ +/+ sport/# : sport +',
    'sport : + sport : sport/+',
    '/finance : +/+ /+ : +',
    'sport/tennis/p1 : sport/+/p1 sport/tennis/+ +/+/+ : sport/+ +/+',
  ]);
});

test('[MQTT-4.7.2-1] a filter that begins with a wildcard does not match a name that begins with $', () => {
  assertMatches([
    '$SYS/monitor/Clients : $SYS/# $SYS/monitor/+ $SYS/+/Clients : # +/monitor/Clients +/# +/+/+',
    '$ : $ $/# : + #',
    'a/$SYS : a/+ +/$SYS # : $SYS/#',
  ]);
});

test('[MQTT-4.7.3-1] names and filters have at least one character', () => {
  assert.equal(topicFault(''), 'bad-topic MQTT-4.7.3-1');
  assert.equal(filterFault(''), 'bad-filter MQTT-4.7.3-1');
  assertRefused('30020000', 'malformed-packet 2.2.3');
  assertRefused('3003000078', 'malformed-packet MQTT-4.7.3-1');
  for (const text of ['/', ' ', 'a b', '//']) {
    assert.equal(topicFault(text), 'none');
    assert.equal(filterFault(text), 'none');
  }
});

test('[MQTT-4.7.3-2] names and filters have no U+0000', () => {
  for (const text of ['\0', 'a/\0', '\0/#']) {
    assert.match(topicFault(text), /^bad-topic MQTT-1\.5\.3-2$/);
    assert.match(filterFault(text), /^bad-filter MQTT-1\.5\.3-2$/);
  }
});

test('[MQTT-4.7.3-3] names and filters have at most 65,535 bytes', () => {
  const longest = 'ü'.repeat(32_767);
  assert.equal(topicFault(`${longest}a`), 'none');
  assert.equal(filterFault(`${longest}a`), 'none');
  assert.equal(topicFault(`${longest}ü`), 'bad-topic MQTT-4.7.3-3');
  assert.equal(filterFault(`${longest}ü`), 'bad-filter MQTT-4.7.3-3');
});

test('[MQTT-4.7.3-4] names are compared unit by unit: case, composition and empty levels count', () => {
  assertMatches([
    'ACCOUNTS : ACCOUNTS : Accounts accounts',
    'ü : ü : u\u0308',
    'a//b : a//b a/+/b : a/b',
    '/a : /a +/a : a a/',
    'a/ : a/ a/+ : a',
  ]);
});

test('[MQTT-4.7.3-4] names and filters are sent as they were given', () => {
  const it = connected();
  assert.deepEqual(it.publish({ topic: 'u\u0308', qos: 0 }), ['300500037 5cc88'.replace(' ', ''), 'settled']);
  assert.deepEqual(it.publish(message({ topic: '//A/', qos: 0 })), ['300600042f2f412f', 'settled']);
  assert.deepEqual(it.subscribe('/A//'), ['820900010004 2f412f2f00'.replace(' ', '')]);
});
