// One line for each thing that is refused.

import { type ErrorCode, mqttError } from '../error.ts';

/** @throws MqttError with this code and clause where `bad` */
export function refuse(bad: boolean, code: ErrorCode, clause: string, message: string): void {
  if (bad) throw mqttError(code, message, { clause });
}
