// Finds what a bundle uses and its host does not have: globals of the language that nothing can be put in place of.

import type { File } from '@babel/types';
import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { Host } from '../hosts.ts';
import { programOf } from '../passes/pass.ts';

export interface Missing {
  readonly name: string;
  /** As the source map calls it. */
  readonly source: string;
  readonly line: number;
}

/** The first use of each in each source. What is only asked about, by `typeof`, is no use. @param map to the sources */
export function missingGlobals(tree: File, { without }: Host, map: EncodedSourceMap): Missing[] {
  const trace = new TraceMap(map);
  const found = new Map<string, Missing>();
  programOf(tree).traverse({
    ReferencedIdentifier(path) {
      const { name, loc } = path.node as { name: string; loc?: { start: { line: number; column: number } } | null };
      if (!loc || !without.includes(name) || path.scope.hasBinding(name, true)) return;
      if (path.parentPath?.isUnaryExpression({ operator: 'typeof' })) return;
      const { source, line } = originalPositionFor(trace, loc.start);
      if (source === null || found.has(`${name} ${source}`)) return;
      found.set(`${name} ${source}`, { name, source, line });
    },
  });
  return [...found.values()];
}
