// Says which byte of a file comes from which module, by its source map.

import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping';
import type { Text } from './finish.ts';

/** What belongs to no module: what the tools put between the modules, and polyfills. */
const GLUE = '(between modules)';

const shortName = (path: string): string =>
  path
    .replace(/^.*mqtt-mote-(framing|hashes):/, '')
    .replace(/^.*node_modules\//, '')
    .replace(/^(\.\.\/)+/, '');

/** Bytes by module, the largest first; their sum is the length of the code. */
export function bytesByModule({ code, map }: Text): (readonly [module: string, bytes: number])[] {
  const bytes = new Map<string, number>();
  const trace = new TraceMap(map);
  const names = trace.sources.map((it) => shortName(it ?? GLUE));
  const lines = code.split('\n');
  const count = (name: string, text: string): void => {
    if (text !== '') bytes.set(name, (bytes.get(name) ?? 0) + Buffer.byteLength(text));
  };
  const mappings = decodedMappings(trace);
  for (const [index, text] of lines.entries()) {
    const line = index < lines.length - 1 ? `${text}\n` : text;
    const segments = mappings[index] ?? [];
    count(GLUE, line.slice(0, segments[0]?.[0] ?? line.length));
    for (const [at, segment] of segments.entries()) {
      const source = segment.length > 1 ? names[segment[1]!]! : GLUE;
      count(source, line.slice(segment[0], segments[at + 1]?.[0] ?? line.length));
    }
  }
  return [...bytes].sort((a, b) => b[1] - a[1]);
}
