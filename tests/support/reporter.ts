// Lists every skipped test with its reason, and counts. scripts/test.ts prints the counts as its last line.
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    printSkipped(skipped);

    const brokenModules = modules.filter((module) => module.errors().length > 0).length;
    publish({
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed: tests.filter((test) => test.result().state === 'failed').length + brokenModules + errors.length,
      skipped: skipped.length,
    });
  }
}

function printSkipped(tests: readonly TestCase[]): void {
  if (tests.length === 0) return;
  console.log('Skipped:');
  for (const test of tests) console.log(`  ${test.project.name} > ${test.fullName}: ${reasonOf(test)}`);
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || 'no reason given';
}

function publish(summary: Summary): void {
  const file = process.env['HOTEXEC_TEST_SUMMARY'];
  if (file === undefined) console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
  else writeFileSync(file, JSON.stringify(summary));
}
