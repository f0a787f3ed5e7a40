// Prints how many bytes the slice and the whole device take, and in which modules: `npm run sizes`.

import { join } from 'node:path';
import { bundle } from './bundle.ts';

for (const app of ['slice', 'whole']) {
  for (const target of ['es2022', 'espruino', 'es5'] as const) {
    const entry = join(import.meta.dirname, 'apps', `${app}.ts`);
    const { bytes, gzipBytes, modules } = await bundle({ entry, target, globalName: 'app' });
    console.log(`\n${app}, ${target}: ${bytes} bytes, ${gzipBytes} with gzip`);
    for (const [module, size] of modules) console.log(`${String(size).padStart(7)}  ${module}`);
  }
}
