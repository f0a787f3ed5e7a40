// Prints how many bytes the slice and the whole device take, and in which modules: `npm run sizes`.

import { join } from 'node:path';
import { bundle } from './bundle.ts';

for (const app of ['slice', 'whole']) {
  for (const mangle of [false, true]) {
    const entry = join(import.meta.dirname, 'apps', `${app}.ts`);
    const { bytes, gzipBytes, modules } = await bundle({ entry, target: 'es2022', mangle });
    console.log(`\n${app}, ${mangle ? 'short' : 'full'} names: ${bytes} bytes, ${gzipBytes} with gzip`);
    for (const [module, size] of modules) console.log(`${String(size).padStart(7)}  ${module}`);
  }
}
