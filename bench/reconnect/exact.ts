// What a server sees of a thousand of our clients, as counts.

import type { Exact } from '../runner/exact.ts';
import { crowd } from './crowd.ts';

export function exactReconnect(): Exact {
  const figures = ([true, false] as const).flatMap((jitter) =>
    Object.entries(crowd(jitter)).map(([name, value]) => [`${jitter ? 'jitter' : 'no jitter'}: ${name}`, value]),
  );
  return Object.fromEntries(figures);
}
