// The clients that the hosts bring themselves: not run here. Measured once in November 2026 on Linux builds of the same engines
// (Moddable SDK 8.2.3, Espruino 2v29), at the same points as ours.

import type { Table } from '../runner/bench.ts';

export const MODDABLE_CLIENTS: Table = {
  title: 'Moddable’s own clients, as measured once: not run here',
  columns: ['', 'minified', 'gzip', 'slots after CONNACK, preloaded', 'faults that were met'],
  rows: [
    ['mqtt.js', '9,021', '2,946', '86', 'QoS 1 never acknowledged; refuses 5 KB'],
    ['mqttclient.js (ECMA-419)', '9,092', '3,189', '105', 'an empty payload wedges it; no sending again'],
    ['mqtt/js on top of that', '16,893', '5,847', '287', 'clean: false ignored; no backoff; no DISCONNECT'],
  ],
};

export const ESPRUINO_CLIENTS: Table = {
  title: 'Espruino’s own clients, as measured once: not run here',
  columns: ['', 'minified', 'gzip', 'variables, connected', 'faults that were met'],
  rows: [
    ['MQTT.js', '5,482', '2,142', '411', 'a refusal reported as connected; no sending again, session, will or TLS'],
    ['tinyMQTT', '1,629', '778', '–', 'QoS 0 only, packets of 127 bytes'],
  ],
};
