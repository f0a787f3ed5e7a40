// mqtt-mote/raw-socket: the adapter by which any host gives sockets to a bare engine.

export { type RawSocketAdapter, type RawSocketOptions, rawSocketAdapter } from './adapters/raw-socket.ts';
export { RawControl, RawEvent, type RawSocketHost } from './adapters/raw-socket-host.ts';
