// mqtt-mote/store: sessions that outlive a power loss.

export { type CellOptions, type Cells, cellKeyValueStore, cellStore } from './storage/cells.ts';
export type { KeyValueStore } from './storage/key-value.ts';
export { persistSession, type SessionStore } from './storage/session-store.ts';
