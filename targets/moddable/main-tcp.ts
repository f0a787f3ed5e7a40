// A device over plain TCP, for tests: anyone on the way can read and change everything. Port 1883.

import TCP from 'embedded:io/socket/tcp';
import UDP from 'embedded:io/socket/udp';
import Resolver from 'embedded:network/dns/resolver/udp';
import Time from 'time';
import Timer from 'timer';
import { ecma419Tcp } from '../../src/ecma419.ts';
import { runDevice } from './device.ts';
import { settings } from './settings.ts';

declare const trace: (text: string) => void;

export default function main(): void {
  const resolver = new Resolver({ servers: settings.nameServers, socket: { io: UDP } });
  const adapter = ecma419Tcp({ TCP, resolver, Timer, Time });
  runDevice(adapter, settings, (line) => trace(`${line}\n`));
}
