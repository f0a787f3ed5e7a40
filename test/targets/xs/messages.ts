// The whole device, publishing and hearing at each QoS, to be measured.

import { ecma419Tcp } from '../../../src/ecma419.ts';
import type { Endpoint } from '../../../src/index.ts';
import { device } from '../../../targets/bundler/apps/whole.ts';
import { type GuestProgram, serve } from './guest.ts';

const program: GuestProgram = {
  start(parts, settings, print) {
    const adapter = Object.assign(ecma419Tcp(parts), { security: 'authenticated' as const });
    const client = device(adapter, settings.endpoint as Endpoint);
    client.on('message', () => print('heard'));
    client.on('connected', () => print('connected'));
    client.connect();
    program.act = (qos) => {
      client.publish('up', new Uint8Array(32), { qos: Number(qos) as 0 | 1 | 2 }, () => print('sent'));
    };
  },
};
serve(program);
