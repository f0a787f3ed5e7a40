// mqtt-mote/moddable: sessions, identities and roots that outlive a power loss, in the storage of Moddable.

export {
  type KeyValueStorage,
  keyValueRecords,
  keyValueStore,
  type PreferenceStorage,
  preferenceRecords,
  preferenceStore,
} from './storage/moddable.ts';
