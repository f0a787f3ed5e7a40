// A device over TLS, with the root certificate that was built in. Port 8883.

import TCP from 'embedded:io/socket/tcp';
import TLSSocket from 'embedded:io/socket/tcp/tls';
import UDP from 'embedded:io/socket/udp';
import Resolver from 'embedded:network/dns/resolver/udp';
import Time from 'time';
import Timer from 'timer';
import { ecma419Tls } from '../../src/ecma419.ts';
import { runDevice } from './device.ts';
import { settings } from './settings.ts';

declare const trace: (text: string) => void;

/** In flash, since this module is preloaded. */
const certificate = CERTIFICATE && Uint8Array.from(CERTIFICATE);

export default function main(): void {
  const resolver = new Resolver({ servers: settings.nameServers, socket: { io: UDP } });
  const adapter = ecma419Tls({ TCP, TLSSocket, resolver, Timer, Time, certificate });
  runDevice(adapter, settings, (line) => trace(`${line}\n`));
}
