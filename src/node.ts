// mqtt-mote/node: the adapters for Node.js.

export { nodeTcp } from './adapters/node-tcp.ts';
export { type NodeTlsOptions, nodeTls } from './adapters/node-tls.ts';
export { nodeFolderStore } from './storage/node-folder.ts';
export { nodeKeyValueStore } from './storage/node-key-value.ts';
