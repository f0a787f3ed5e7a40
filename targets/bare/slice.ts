// The smallest signed device on a bare engine: connects and stays. For measuring memory.

import { device } from '../bundler/apps/slice.ts';
import { adapter } from './host.ts';

const client = device(adapter, { host: host.settings.host, port: host.settings.port });
client.on('connected', () => host.print('connected'));
client.connect();
