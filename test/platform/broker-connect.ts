// The CONNECT that aedes sees in place of the device's: no credentials, and no keep-alive, which the platform checks.
import type { IConnectPacket } from 'mqtt-packet';
import type { Login } from './decision.ts';
import type { Profile } from './profile.ts';
import { keepsRetain } from './publish-gate.ts';
import { mayPublish } from './topics.ts';

export function brokerConnect(packet: IConnectPacket, login: Login, profile: Profile): IConnectPacket {
  const connect: IConnectPacket = {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: login.sessionKey,
    clean: login.cleanSession,
    keepalive: 0,
  };
  const will = packet.will;
  if (will === undefined || profile.will !== 'support' || !mayPublish(will.topic, login.device, profile))
    return connect;
  return { ...connect, will: { ...will, retain: keepsRetain(will.retain ?? false, profile.retain) } };
}
