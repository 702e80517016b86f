import { writeFileSync } from 'node:fs';
import { findSuite } from '../suites/find-suite.ts';
import { formatScenarios } from '../suites/scenario-file.ts';

/**
 * The action of `bench scenarios`: writes a suite as the file that `bench suite` takes, to be changed in between. A file
 * that is given instead of a suite is checked, and written again.
 */
export function scenarios(named: string, { output }: { readonly output?: string }): void {
  try {
    const suite = findSuite(named);
    const text = formatScenarios(suite);
    if (output === undefined) process.stdout.write(text);
    else writeFileSync(output, text);
    if (output !== undefined) process.stderr.write(`${suite.scenarios.length} scenarios in ${output}\n`);
  } catch (error) {
    process.stderr.write(`bench scenarios: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
