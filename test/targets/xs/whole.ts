// The whole device with every module in use, to be measured.

import {
  BlackBox,
  device,
  PromiseClient,
  persistSession,
  quarantine,
  Router,
} from '../../../targets/bundler/apps/whole.ts';
import { measured } from './measured.ts';

/** What an app keeps. */
export const kept: object[] = [];

measured((adapter, endpoint) => {
  const client = device(adapter, endpoint);
  persistSession(client, { put: () => {}, remove: () => {}, each: () => {} });
  quarantine(client);
  kept.push(new BlackBox(client), new Router(client), new PromiseClient(client));
  return client;
});
