// How a device that does not yet know who it is asks for its identity: what each platform wants to hear, and answers.

import type { Identity } from './identity.ts';

/** What is kept of the answer: texts by their names. */
export type Kept = Readonly<Record<string, string>>;

export interface EnrolmentMethod {
  /** Names the method in the record that is kept: up to 15 letters. */
  readonly kind: string;
  /** Where the platform answers. The message comes without SUBSCRIBE. */
  readonly topic: string;
  /** The names that the answer has to hold, each with a text. */
  readonly names: readonly string[];
  /** What the answer has to say under some of these names: it is for this device, or for none. */
  readonly expected: Kept;
  /** Who asks. @param random uniform in [0, 1) */
  asker(random: () => number): Identity;
  /** The identity made of what was kept. @throws MqttError 'bad-option' where it makes none */
  login(kept: Kept): Identity;
}
