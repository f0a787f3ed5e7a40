// What the machine wants done. The driver polls these and carries them out in order.

import type { MqttError } from '../error.ts';
import type { Operation, ReceivedMessage } from './session.ts';

export type Action =
  | { readonly kind: 'transmit'; readonly bytes: Uint8Array }
  /** Close the network connection once everything before was written [MQTT-4.8.0-1]. */
  | { readonly kind: 'close'; readonly error: MqttError | undefined }
  | { readonly kind: 'connected'; readonly sessionPresent: boolean }
  | { readonly kind: 'message'; readonly message: ReceivedMessage }
  /** An operation has come to its end: acknowledged, written (QoS 0), or failed where there is an error. */
  | {
      readonly kind: 'settled';
      readonly operation: Operation;
      /** Of a SUBACK: one return code for each filter (3.9.3). */
      readonly granted?: readonly number[] | undefined;
      readonly error?: MqttError | undefined;
    };
