import { readFileSync } from 'node:fs';
import { parseScenarios } from './scenario-file.ts';
import { makeSuite, SUITES, type Suite } from './suite.ts';

/** The suite of that name, or the one in that file. Throws where there is none, naming what there is. */
export function findSuite(named: string): Suite {
  const made = makeSuite(named);
  if (made !== null) return made;
  if (!named.endsWith('.json'))
    throw new Error(
      `There is no suite ${JSON.stringify(named)}; expected ${SUITES.join(', ')}, or a file of scenarios that ends in .json.`,
    );
  return parseScenarios(readFileSync(named, 'utf8'), named);
}
