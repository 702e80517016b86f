import type { Bench } from '../bench.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { withSite } from '../open-site.ts';
import { inBench } from '../perform.ts';
import { type Document, type Heading, recorded, SCHEMA } from '../result.ts';
import { calibrate } from '../scenarios/calibration.ts';
import { runScenario, type WorkSabotage } from '../scenarios/run-scenario.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Site, SiteSettings } from '../site.ts';
import { secondsLeft } from '../suites/estimate.ts';
import { findSuite } from '../suites/find-suite.ts';
import { ResultFile } from '../suites/result-file.ts';
import { runSuite, type SoFar } from '../suites/run-suite.ts';
import { type Selection, select } from '../suites/selection.ts';
import type { Suite } from '../suites/suite.ts';
import { type SuiteFigures, tally } from '../suites/suite-document.ts';
import { formatSeconds, suiteTable } from '../suites/suite-table.ts';

/** Scenarios one after another, each checked as a measurement of its own is, the results saved after each. */
export interface SuiteSettings extends SiteSettings, Selection {
  readonly continueOnError: boolean;
  readonly sabotage: WorkSabotage | null;
}

export interface SuiteOptions extends SuiteSettings {
  /** The folder for the results. */
  readonly output: string;
  readonly json?: boolean;
  readonly dir?: string;
}

type SuiteDocument = Document<SuiteSettings, SuiteFigures>;

/** The action of `bench suite`. */
export function suite(named: string, { output, json, dir, ...settings }: SuiteOptions): Promise<void> {
  return inBench('suite', { dir, profile: null }, async (bench) => {
    // What a user can get wrong is found out before anything is measured.
    const found = findSuite(named);
    const chosen: Suite = { name: found.name, scenarios: select(found, settings) };
    const file = new ResultFile(output, chosen.name, new Date());
    const document = await withSite(settings, bench, (site) =>
      measureAll({ suite: chosen, settings, file, site, bench }),
    );
    bench.progress.stop();
    process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${suiteTable(document)}\n`);
    bench.progress.note(`Saved: ${file.path}`);
    if (document.totals.failed > 0) process.exitCode = 1;
  });
}

interface Measuring {
  readonly suite: Suite;
  readonly settings: SuiteSettings;
  readonly file: ResultFile;
  readonly site: Site;
  readonly bench: Bench;
}

async function measureAll({ suite, settings, file, site, bench }: Measuring): Promise<SuiteDocument> {
  const { progress, signal, workspace } = bench;
  const { scenarios } = suite;
  const { continueOnError, sabotage } = settings;
  const heading = headingFrom(recorded(settings), describeMachine(workspace.folder));
  // Said first: whoever interrupts or kills it wants to know, too.
  progress.note(`Results: ${file.path}`);
  progress.start(scenarios.length + 1);
  const calibration = await progress.step('how much work a second is', () => calibrate(bench));
  return runSuite({
    scenarios,
    continueOnError,
    signal,
    keep: ({ state, results, elapsedSeconds }) => {
      const document = {
        ...heading(),
        suite: suite.name,
        generatedAt: new Date().toISOString(),
        state,
        ...tally(scenarios.length, results, elapsedSeconds),
        server: site.server,
        calibration,
        results,
      };
      file.write(document);
      return document;
    },
    measure: (scenario, soFar) =>
      progress.step(stepName(scenario, scenarios, soFar), () =>
        runScenario(scenario, { calibration, site, signal, workspace, sabotage }),
      ),
  });
}

/** The machine is described before anything loads it, how long it took with each writing. */
function headingFrom(settings: SuiteSettings, machine: Machine): () => Heading<SuiteSettings> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  return () => ({
    schema: SCHEMA,
    command: 'suite',
    startedAt,
    tookMs: Math.round(performance.now() - began),
    settings,
    machine,
  });
}

/** Nothing is drawn while a scenario runs, so the times are those at its start. */
function stepName(
  { name }: Scenario,
  scenarios: readonly Scenario[],
  { results, elapsedSeconds }: SoFar,
): string {
  const left = secondsLeft(results, elapsedSeconds, scenarios.slice(results.length));
  return `${name} (${formatSeconds(elapsedSeconds)} gone, about ${formatSeconds(left)} left)`;
}
