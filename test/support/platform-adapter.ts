// An adapter whose network is the local platform's accept(), in virtual time: no sockets, no waiting.

import type { Adapter } from '../../src/index.ts';
import { memoryPair } from '../platform/memory-pair.ts';
import type { Platform } from '../platform/platform.ts';
import type { ListenerKind } from '../platform/profile.ts';
import type { VirtualClock } from '../platform/virtual-clock.ts';

export function platformAdapter(platform: Platform, clock: VirtualClock, kind: ListenerKind = 'private'): Adapter {
  return {
    security: kind === 'tcp' ? 'plaintext' : 'authenticated',
    random: () => 0.5,
    report: (error) => {
      throw error;
    },
    now: () => clock.now() >>> 0,
    alarm(ring) {
      let handle: unknown;
      const clear = () => clock.clearTimeout(handle as never);
      return {
        set(millis) {
          clear();
          handle = clock.setTimeout(ring, millis);
        },
        clear,
      };
    },
    dial(_, events) {
      const [near, far] = memoryPair();
      near.on('data', (bytes) => events.received(bytes));
      near.on('close', () => events.closed());
      near.on('error', () => {});
      platform.accept(far, kind);
      setImmediate(() => near.destroyed || events.opened());
      return {
        write(bytes) {
          near.write(bytes);
          return bytes.length;
        },
        pause: () => void near.pause(),
        resume: () => void near.resume(),
        close: () => void near.end(),
        abort: () => void near.destroy(),
      };
    },
  };
}
