// Runs the tests for Stryker inside its own process: nothing in src keeps state at module level, so that thousands of mutants
// can be tried without a process for each. A mutant of what is made when a module is loaded gets a loading of its own.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import type { InstrumenterContext } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  type CompleteDryRunResult,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

/** What a test may take besides ten times what it took without a mutant, in milliseconds. */
const PATIENCE = 3_000;

/** In the sandbox. */
const TOOK = '.work/took.json';

const HOUR = 3_600_000;

interface Registered {
  readonly title: string;
  readonly body: () => unknown;
}

const shared = globalThis as {
  __stryker__?: InstrumenterContext;
  registered?: Registered[];
  begun?: Registered['body'];
};

/** What instrumented code looks at, and writes into. */
shared.__stryker__ ??= {};
const context = shared.__stryker__;

class InProcessRunner implements TestRunner {
  private loadings = 0;
  /** Of a loading without a mutant. */
  private clean: readonly Registered[] = [];
  /** What each test took in the dry run, in milliseconds: the quick ones go first. One process makes it, all read it. */
  private took: Record<string, number> = {};

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun(): Promise<DryRunResult> {
    this.activate(undefined, undefined);
    this.clean = await this.load();
    const tests: TestResult[] = [];
    for (const it of this.named(this.clean)) {
      context.currentTestId = it.id;
      const result = (await attempt(it, HOUR)) ?? failed(it.id, 0, 'it did not end');
      this.took[it.id] = result.timeSpentMs;
      tests.push(result);
    }
    delete context.currentTestId;
    writeFileSync(TOOK, JSON.stringify(this.took));
    const { mutantCoverage } = context;
    const result: CompleteDryRunResult = { status: DryRunStatus.Complete, tests };
    return mutantCoverage ? { ...result, mutantCoverage } : result;
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, testFilter, hitLimit, reloadEnvironment } = options;
    if (this.clean.length === 0) {
      this.clean = await this.load();
      this.took = JSON.parse(readFileSync(TOOK, 'utf8'));
    }
    this.activate(activeMutant.id, hitLimit);
    const tests: TestResult[] = [];
    try {
      const isOfLoading = mutantActivation === 'static' || reloadEnvironment;
      const registered = isOfLoading ? await this.load() : this.clean;
      const chosen = this.named(registered).filter(({ id }) => !testFilter || testFilter.includes(id));
      for (const it of chosen.sort((a, b) => this.took[a.id]! - this.took[b.id]!)) {
        const result = await attempt(it, PATIENCE + 10 * this.took[it.id]!);
        const isOverLimit = determineHitLimitReached(context.hitCount, hitLimit);
        if (isOverLimit) return toMutantRunResult(isOverLimit);
        if (result === undefined) return { status: MutantRunStatus.Timeout, reason: `${it.id} did not end` };
        tests.push(result);
        if (result.status === TestStatus.Failed) break;
      }
    } catch (error) {
      tests.push(failed('loading', 0, error)); // Modules that cannot be loaded are noticed by every test.
    } finally {
      this.activate(undefined, undefined);
    }
    return toMutantRunResult({ status: DryRunStatus.Complete, tests });
  }

  private activate(id: string | undefined, hitLimit: number | undefined): void {
    delete context.activeMutant;
    delete context.hitLimit;
    delete context.hitCount;
    if (id !== undefined) context.activeMutant = id;
    if (hitLimit !== undefined) Object.assign(context, { hitLimit, hitCount: 0 });
  }

  private async load(): Promise<readonly Registered[]> {
    const registered: Registered[] = [];
    shared.registered = registered;
    await import(`${pathToFileURL(resolve('.work/mutation.mjs'))}?${this.loadings++}`);
    return registered;
  }

  private named(registered: readonly Registered[]) {
    return registered.map((it, n) => ({ ...it, id: `${n} ${it.title}` }));
  }
}

const failed = (id: string, timeSpentMs: number, error: unknown): TestResult => ({
  id,
  name: id,
  timeSpentMs,
  status: TestStatus.Failed,
  failureMessage: String(error),
});

/** What begins a test so that even a loop without an end can be ended, without ending the process. */
const begin = new Script('begun()');

/** @returns undefined where it has not ended in time, in milliseconds */
async function attempt(
  { id, body }: Registered & { readonly id: string },
  timeout: number,
): Promise<TestResult | undefined> {
  const start = performance.now();
  shared.begun = body;
  try {
    await begin.runInThisContext({ timeout: Math.ceil(timeout) });
    return { id, name: id, timeSpentMs: performance.now() - start, status: TestStatus.Success };
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    return failed(id, performance.now() - start, error);
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];
