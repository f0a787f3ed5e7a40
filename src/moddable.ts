// mqtt-mote/moddable: sessions that outlive a power loss, in the storage of Moddable.

export {
  type KeyValueStorage,
  keyValueStore,
  type PreferenceStorage,
  preferenceStore,
} from './storage/moddable.ts';
