// mqtt-mote/espruino: the adapters for Espruino.

export {
  type EspruinoNet,
  type EspruinoSocket,
  type EspruinoTcpOptions,
  type EspruinoTlsOptions,
  espruinoTcp,
  espruinoTls,
} from './adapters/espruino.ts';
