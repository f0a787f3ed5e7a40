// mqtt-mote/store: sessions that outlive a power loss.

export { persistSession, type SessionStore } from './storage/session-store.ts';
