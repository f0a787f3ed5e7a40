// What the files of src/protocol export: nothing that one client could change for another.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

const FOLDER = new URL('../../src/protocol/', import.meta.url);

test('every file of src/protocol exports functions, classes and frozen constants, nothing else', async () => {
  for (const file of readdirSync(FOLDER)) {
    const exports: object = await import(new URL(file, FOLDER).href);
    for (const [name, value] of Object.entries(exports)) {
      assert.ok(typeof value === 'function' || Object.isFrozen(value), `${file}: ${name}`);
    }
  }
});
