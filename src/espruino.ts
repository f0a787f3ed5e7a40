// mqtt-mote/espruino: the adapters for Espruino, and a store in its flash.

export {
  type EspruinoNet,
  type EspruinoSocket,
  type EspruinoTcpOptions,
  type EspruinoTlsOptions,
  espruinoTcp,
  espruinoTls,
} from './adapters/espruino.ts';
export { type EspruinoStorage, storageRecords } from './storage/espruino.ts';
