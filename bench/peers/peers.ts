// The peers by name.

import { mqttjs } from './mqttjs.ts';
import { mqtts } from './mqtts.ts';
import { paho } from './paho.ts';
import type { MakePeer } from './peer.ts';
import { u8mqtt } from './u8-mqtt.ts';

export const PEERS: Readonly<Record<string, MakePeer>> = { 'MQTT.js': mqttjs, 'u8-mqtt': u8mqtt, mqtts, paho };
