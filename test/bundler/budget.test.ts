// Bytes of the two builds that keep the package honest, held against targets/budget.json.

import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../targets/bundler/bundle.ts';
import { checkBudget } from '../support/budget.ts';

const apps = join(import.meta.dirname, '../../targets/bundler/apps');

for (const target of ['es2022', 'espruino', 'es5'] as const) {
  for (const app of ['slice', 'whole']) {
    test(`[pain 26] the ${app} on ${target} is no larger than its budget`, async () => {
      const { bytes, gzipBytes } = await bundle({ entry: join(apps, `${app}.ts`), target, globalName: 'app' });
      checkBudget(`bytes/${target}/${app}/minified`, bytes);
      checkBudget(`bytes/${target}/${app}/gzip`, gzipBytes);
    });
  }
}
