// mqtt-mote/memory: a host in memory with a clock that only moves when it is told to.

export { type MemoryAdapterOptions, type MemoryPeer, memoryAdapter, VirtualTime } from './adapters/memory.ts';
