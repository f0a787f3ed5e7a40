// TuyaLink's downlink channel: subscribed to once for every connection, and ready when the cloud has said so. From then on
// everything for the device comes without further SUBSCRIBE.

import type { Client } from '../client/client.ts';
import { type MqttError, mqttError } from '../error.ts';
import { text } from '../identity/check.ts';
import { tuyaLinkChannel } from '../identity/tuyalink.ts';

export interface TuyaLinkChannelOptions {
  /** As given to `tuyaLink()`. */
  readonly deviceId: string;
  /** Called for every connection once the channel is open: this is what Tuya's own SDK calls connected. */
  readonly ready: () => void;
  /** Called where the cloud refuses the channel: 'subscription-refused'. The connection stays. */
  readonly refused?: ((error: MqttError) => void) | undefined;
}

/**
 * Opens the channel now and on every connection. To be called before the first connect().
 * @throws MqttError 'bad-option'
 */
export function openTuyaLinkChannel(client: Client, options: TuyaLinkChannelOptions): void {
  const { ready, refused } = options;
  const filter = tuyaLinkChannel(text('deviceId', options.deviceId, /[|,/+#]/));
  for (const it of [ready, refused ?? ready]) {
    if (typeof it !== 'function') throw mqttError('bad-option', 'ready and refused must be functions');
  }
  const want = () =>
    client.subscribe(filter, { qos: 1 }, (error) => {
      if (!error) ready();
      else if (error.code === 'subscription-refused') refused?.(error);
    });
  want();
  // The session is new with every connection: asking beforehand sends one SUBSCRIBE, and hears of its SUBACK.
  client.on('disconnected', want);
}
