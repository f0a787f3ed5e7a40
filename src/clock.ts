// mqtt-mote/clock: the time of day, where signatures and certificates need it.

export { type ClockSettings, clocked } from './modules/clock.ts';
export { connectWhenRight, DeviceClock, type DeviceClockOptions } from './modules/device-clock.ts';
export {
  type AskTimeOptions,
  alibabaTime,
  askTime,
  type KeepTimeOptions,
  keepTime,
  type TimeService,
  tuyaLinkTime,
} from './modules/network-time.ts';
