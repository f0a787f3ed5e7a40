// Builds what the package holds for Node: as modules, and as one file. Programs that are started afterwards find it by the environment.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildForNode } from '../../targets/entry-points.ts';
import { bundleForNode } from '../../targets/node/bundle.ts';
import { OUT } from '../runner/programs.ts';

export async function buildMote(): Promise<void> {
  const folder = join(OUT, 'mqtt-mote');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await buildForNode(folder);
  writeFileSync(join(folder, 'bundled.js'), (await bundleForNode()).code);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  process.env.MQTT_MOTE = folder;
}
