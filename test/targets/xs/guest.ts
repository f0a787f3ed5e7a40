// The inside of the bridge: a host with the I/O of ECMA-419 within the engine, whose network and time lie outside. Everything
// goes in and comes out as text, by handleCommand().

import type { Ecma419Options } from '../../../src/ecma419.ts';
import { FakeHost, type FarEnd } from '../../support/ecma419.ts';
import type { FromGuest, ToGuest } from '../../support/xs-device.ts';

declare global {
  var handleCommand: (command: ArrayBuffer) => ArrayBuffer;
}

export interface GuestProgram {
  /** @param parts what ecma419Tcp() takes */
  start(parts: Ecma419Options, settings: Record<string, unknown>, print: (line: string) => void): void;
  /** Does something that the outside asks for, by name. */
  act?(what: string): void;
}

/** What answers commands: lists of them, as JSON. */
export function guest(program: GuestProgram): (commands: string) => string {
  let out: FromGuest[] = [];
  const host = new FakeHost({
    dialed(peer) {
      const id = host.peers.length - 1;
      out.push(['open', id, peer.endpoint.host, peer.endpoint.port]);
      peer.onReceived = (bytes) => out.push(['write', id, Array.from(bytes)]);
      peer.onClosed = () => out.push(['close', id]);
    },
    names: { localhost: '127.0.0.1' },
  });
  const peer = (id: number): FarEnd => host.peers[id]!;
  const obey = (it: ToGuest): void => {
    switch (it[0]) {
      case 'start':
        return program.start(host.parts, it[1], (line) => out.push(['print', line]));
      case 'advance':
        return host.time.advance(it[1]);
      case 'accepted':
        return peer(it[1]).accept();
      case 'received':
        return peer(it[1]).send(Uint8Array.from(it[2]));
      case 'closed':
        return peer(it[1]).close();
      case 'act':
        return program.act?.(it[1]);
      case 'collect':
        return gc!() as undefined;
    }
  };
  return (commands) => {
    for (const it of JSON.parse(commands) as ToGuest[]) obey(it);
    if (host.aborted !== undefined) out.push(['print', `aborted: ${host.aborted}`]);
    const answer = JSON.stringify(out);
    out = [];
    return answer;
  };
}

/** Answers commands from now on. */
export function serve(program: GuestProgram): void {
  const answer = guest(program);
  globalThis.handleCommand = (commands) =>
    new TextEncoder().encode(answer(new TextDecoder().decode(commands))).buffer as ArrayBuffer;
}
