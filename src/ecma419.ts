// mqtt-mote/ecma419: the adapters for hosts with the I/O of ECMA-419, such as Moddable.

export { ecma419Tcp } from './adapters/ecma419.ts';
export type {
  Ecma419Options,
  Ecma419Request,
  Ecma419Socket,
  Ecma419SocketOptions,
} from './adapters/ecma419-host.ts';
export {
  type Der,
  type Ecma419TcpBelow,
  type Ecma419TlsOptions,
  type Ecma419TlsSocketOptions,
  ecma419Tls,
} from './adapters/ecma419-tls.ts';
