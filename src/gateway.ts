// mqtt-mote/gateway: signatures of the devices behind a gateway.

export {
  type SubDeviceLogin,
  type SubDeviceOptions,
  type SubDeviceTopology,
  subDeviceLogin,
  subDeviceTopology,
} from './identity/sub-device.ts';
