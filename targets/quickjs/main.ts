// Runs the example in QuickJS against a platform, with the flags of the three programs; with --ca over TLS.

import { join } from 'node:path';
import { bundle } from '../bundler/bundle.ts';
import { readSettings } from '../node/settings.ts';
import { QuickJsEngine } from './engine.ts';

const { endpoint, ca, productKey, deviceName, deviceSecret } = readSettings('quickjs', 'The device in QuickJS.', 1883);
const entry = join(import.meta.dirname, '../bare/device.ts');
const { code } = await bundle({ entry, target: 'quickjs', format: 'iife' });
const device = await QuickJsEngine.start({
  settings: { ...endpoint, productKey, deviceName, deviceSecret },
  ca,
  print: console.log,
  exited: (exitCode) => {
    process.exitCode = exitCode;
  },
});
device.run(code);
