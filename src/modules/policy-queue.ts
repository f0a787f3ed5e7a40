// A queue with a policy for each topic filter: what happens to a message when there is no room, or when it gets old.

import type { PublishOperation } from '../client/operation.ts';
import { checkQueueLimits, inRange } from '../client/options.ts';
import { type MessageQueue, neverFits, type QueueLimits, queueFull, sizeOf } from '../client/queue.ts';
import { mqttError } from '../error.ts';
import { topicFilter } from '../framing/check.ts';
import { matchLevels } from '../protocol/topic.ts';
import { after, type Instant, MAX_AHEAD, type Millis, remaining, sooner } from '../time.ts';

/**
 * What happens when there is no room. `reject`: publish() throws 'queue-full'. `drop-newest`: the new message ends with
 * 'dropped'. `drop-oldest`: the oldest under the same rule does, as many as it takes. `latest`: besides, a new message takes
 * the place of one with the same topic that still waits.
 */
export type QueuePolicy = 'reject' | 'drop-oldest' | 'drop-newest' | 'latest';

export interface QueueRule {
  /** Topics that the rule is for; the first rule that matches counts. */
  readonly filter: string;
  readonly policy: QueuePolicy;
  /** Most messages under this rule, 1 to 1,000,000; default: what the queue holds. */
  readonly messages?: number | undefined;
  /** How long a message may wait, in milliseconds, 1 to 2^30 (12.4 days); default: for ever. Then it ends with 'dropped'. */
  readonly timeToLiveMillis?: Millis | undefined;
}

interface Rule extends QueueRule {
  readonly levels: readonly string[];
}

interface Waiting {
  readonly operation: PublishOperation;
  readonly rule: Rule;
  readonly expiry: Instant | undefined;
}

const POLICIES: readonly QueuePolicy[] = Object.freeze(['reject', 'drop-oldest', 'drop-newest', 'latest']);

function makeRule(rule: QueueRule): Rule {
  topicFilter(rule.filter);
  if (POLICIES.indexOf(rule.policy) < 0) throw mqttError('bad-option', `queue policy ${rule.policy} is unknown`);
  inRange('rule.messages', rule.messages ?? 1, 1, 1_000_000);
  inRange('rule.timeToLiveMillis', rule.timeToLiveMillis ?? 1, 1, MAX_AHEAD);
  return { ...rule, levels: rule.filter.split('/') };
}

/** The rule for everything that no rule names; `#` does not match names that begin with `$`, this does. */
const REJECT: Rule = Object.freeze({ filter: '#', levels: Object.freeze(['#']), policy: 'reject' });

/** @example new Client({ queue: new PolicyQueue([{ filter: '+/temperature', policy: 'latest' }], { messages: 50 }), ... }) */
export class PolicyQueue implements MessageQueue {
  dropped: NonNullable<MessageQueue['dropped']> = () => {};
  private readonly rules: readonly Rule[];
  private readonly maxMessages: number;
  private readonly maxBytes: number;
  private waiting: Waiting[] = [];
  private held = 0;

  /** @param limits of all messages together, as of a plain queue @throws MqttError 'bad-option' or 'bad-filter' */
  constructor(rules: readonly QueueRule[], limits: QueueLimits = {}) {
    checkQueueLimits(limits);
    this.rules = rules.map(makeRule);
    this.maxMessages = limits.messages ?? 100;
    this.maxBytes = limits.bytes ?? 65_536;
  }

  add(operation: PublishOperation, now: Instant): void {
    this.expire(now);
    if (sizeOf(operation) > this.maxBytes && this.maxMessages > 0) throw neverFits(operation, this.maxBytes);
    const rule = this.ruleOf(operation.topic);
    const victims = this.makeRoom(operation, rule);
    if (!victims) {
      if (rule.policy !== 'drop-newest') throw queueFull(this);
      return this.drop(operation, 'no-room');
    }
    for (const it of victims) this.remove(it);
    const { timeToLiveMillis } = rule;
    const expiry = timeToLiveMillis === undefined ? undefined : after(now, timeToLiveMillis);
    this.waiting.push({ operation, rule, expiry });
    this.held += sizeOf(operation);
    // At the end: who hears of it may publish again.
    for (const it of victims) {
      this.drop(it, it.topic === operation.topic && rule.policy === 'latest' ? 'replaced' : 'no-room');
    }
  }

  first(now: Instant): PublishOperation | undefined {
    this.expire(now);
    return this.waiting[0]?.operation;
  }

  remove(operation: PublishOperation): void {
    const kept = this.waiting.filter((it) => it.operation !== operation);
    if (kept.length === this.waiting.length) return;
    this.waiting = kept;
    this.held -= sizeOf(operation);
  }

  size(): number {
    return this.waiting.length;
  }

  bytes(): number {
    return this.held;
  }

  nextDeadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { expiry } of this.waiting) next = sooner(next, expiry);
    return next;
  }

  private ruleOf(topic: string): Rule {
    const levels = topic.split('/');
    for (const it of this.rules) if (matchLevels(it.levels, levels)) return it;
    return REJECT;
  }

  /** The messages that have to go for this one, or undefined where that would not do. */
  private makeRoom(operation: PublishOperation, rule: Rule): PublishOperation[] | undefined {
    const isLatest = rule.policy === 'latest';
    const same = this.waiting.filter((it) => it.rule === rule).map((it) => it.operation);
    const victims = same.filter((it) => isLatest && it.topic === operation.topic);
    const isExpendable = isLatest || rule.policy === 'drop-oldest';
    for (const it of isExpendable ? same : []) {
      if (this.fits(operation, rule, same.length, victims)) break;
      if (victims.indexOf(it) < 0) victims.push(it); // The oldest first.
    }
    return this.fits(operation, rule, same.length, victims) ? victims : undefined;
  }

  private fits(
    operation: PublishOperation,
    rule: Rule,
    underRule: number,
    victims: readonly PublishOperation[],
  ): boolean {
    let bytes = this.held + sizeOf(operation);
    for (const it of victims) bytes -= sizeOf(it);
    return (
      bytes <= this.maxBytes &&
      this.waiting.length - victims.length < this.maxMessages &&
      underRule - victims.length < (rule.messages ?? this.maxMessages)
    );
  }

  private expire(now: Instant): void {
    for (const { operation, expiry } of this.waiting) {
      if (expiry === undefined || remaining(expiry, now) > 0) continue;
      this.remove(operation);
      this.drop(operation, 'expired');
    }
  }

  private drop(operation: PublishOperation, reason: 'expired' | 'replaced' | 'no-room'): void {
    this.dropped(operation, mqttError('dropped', `the message was dropped: ${reason}`, { reason }));
  }
}
