// A signed device with every module in use on a bare engine: connects and stays. For measuring memory.

import { BlackBox, device, PromiseClient, persistSession, quarantine, Router } from '../bundler/apps/whole.ts';
import { adapter } from './host.ts';

const client = device(adapter, { host: host.settings.host, port: host.settings.port });
persistSession(client, { put: () => {}, remove: () => {}, each: () => {} });
quarantine(client);
export const box = new BlackBox(client);
export const router = new Router(client);
export const promises = new PromiseClient(client);
client.on('connected', () => host.print('connected'));
client.connect();
