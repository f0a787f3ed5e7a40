// Timers inside XS, at the command of a test: so many operations of a kind, on an engine that counts the slots it fills.

import { SharedTimer, Wheel } from '../../../src/wheel.ts';

declare global {
  var handleCommand: (command: ArrayBuffer) => ArrayBuffer;
}

const TIMERS = 64;
const now = 1_000;

const wheel = new Wheel(now);
const ids: number[] = [];
for (let index = 0; index < TIMERS; index++) ids.push(wheel.add());

const shared = new SharedTimer({
  now: () => now,
  alarm: () => ({ set() {}, clear() {} }),
  report: () => {},
});
const alarms = ids.map(() => shared.alarm(() => {}));
for (const alarm of alarms) alarm.set(1);
for (const alarm of alarms) alarm.clear();

const OPERATIONS: Readonly<Record<string, (index: number) => void>> = {
  nothing: () => {},
  arm: (index) => wheel.arm(ids[index]!, now + 10 + 997 * index, 0, now),
  move: (index) => wheel.arm(ids[index]!, now + 500_000 - 997 * index, 100, now),
  turn: (index) => wheel.advance(now + index),
  next: () => void wheel.next(),
  cancel: (index) => wheel.disarm(ids[index]!),
  'set an alarm': (index) => alarms[index]!.set(10 + 997 * index),
  'put an alarm off': (index) => alarms[index]!.putOff(now + 900_000 + index),
  'set an alarm again': (index) => alarms[index]!.set(700 + index, 50),
  'clear an alarm': (index) => alarms[index]!.clear(),
};

globalThis.handleCommand = (command) => {
  const run = OPERATIONS[new TextDecoder().decode(command)]!;
  for (let index = 0; index < TIMERS; index++) run(index);
  return new TextEncoder().encode('done').buffer;
};
