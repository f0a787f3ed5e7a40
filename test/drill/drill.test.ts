import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDrill } from './drill.ts';

test('[row 11] [row 12] the rotation drill, with a small fleet: no device and no publish is lost', async () => {
  const report = await runDrill(4);
  assert.equal(report.devices, 4);
  assert.equal(report.rolledBack, 4);
  assert.ok(report.published > 100, `${report.published} publishes`);
  assert.ok(report.warnings > 4, `${report.warnings} warnings`);
});
