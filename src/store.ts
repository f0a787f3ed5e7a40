// mqtt-mote/store: sessions that outlive a power loss.

export { type CellOptions, type Cells, cellStore } from './storage/cells.ts';
export { persistSession, type SessionStore } from './storage/session-store.ts';
