// mqtt-mote/espruino: the adapters for Espruino, and stores in its flash.

export {
  type EspruinoNet,
  type EspruinoSocket,
  type EspruinoTcpOptions,
  type EspruinoTlsOptions,
  espruinoTcp,
  espruinoTls,
} from './adapters/espruino.ts';
export { type EspruinoStorage, storageRecords } from './storage/espruino.ts';
export { type EspruinoFiles, storageSession } from './storage/espruino-session.ts';
