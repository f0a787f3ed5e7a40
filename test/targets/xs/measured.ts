// What the measured programs have in common: a device that connects, and publishes when it is asked to.

import { ecma419Tcp } from '../../../src/ecma419.ts';
import type { Adapter, Client, Endpoint } from '../../../src/index.ts';
import { type GuestProgram, serve } from './guest.ts';

export function measured(makeDevice: (adapter: Adapter, endpoint: Endpoint) => Client): void {
  const program: GuestProgram = {
    start(parts, settings, print) {
      // The slice and the whole device are made for TLS, which the engine here has not.
      const adapter = Object.assign(ecma419Tcp(parts), { security: 'authenticated' as const });
      const client = makeDevice(adapter, settings.endpoint as Endpoint);
      client.on('connected', () => print('connected'));
      client.connect();
      program.act = () => void client.publish('up', 'x'.repeat(100), { qos: 1 }, () => print('published'));
    },
  };
  serve(program);
}
