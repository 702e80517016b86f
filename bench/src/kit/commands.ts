import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { Value } from 'typebox/value';
import type { Bench } from '../bench.ts';
import { describeMachine } from '../machine.ts';
import { neighbour } from '../neighbours.ts';
import { whole } from '../options.ts';
import { inBench } from '../perform.ts';
import { recordedArguments } from '../result.ts';
import type { StoreKind } from '../site.ts';
import { ResultFile } from '../suites/result-file.ts';
import { KitDocument } from './document.ts';
import { flowFigures } from './flow-document.ts';
import { measureCells } from './measure-cells.ts';
import { resultTable } from './result-table.ts';
import { schemaText } from './schema-file.ts';
import { type CellPlan, parseWorkload, planOf, type TargetRule, type WorkloadFile } from './workload.ts';

const FOLDER = fileURLToPath(new URL('../../workloads/', import.meta.url));

interface KitOptions {
  readonly short?: boolean;
  readonly rounds: number | null;
  readonly only: readonly (readonly [string, string])[];
  readonly store?: string;
  readonly url?: string;
  readonly output?: string;
  readonly resume?: string;
  readonly json?: boolean;
  readonly dir?: string;
  readonly sabotage: 'lost' | 'repeated' | null;
}

/** Adds the commands of the kit: one for each file of bench/workloads, `all` of them, and `run` for a file of one's own. */
export function addKitCommands(main: Command): void {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const workloads = files.map((name) => read(`${FOLDER}${name}`));
  for (const workload of workloads)
    command(main, workload.name, workload.description).action((options: KitOptions) =>
      measure(workload.name, [workload], options),
    );
  // Flows are in s3, too.
  const whole = workloads.filter(({ name }) => name !== 'flows');
  command(main, 'all', 'all of these, one after the other: takes hours; with --short, minutes').action(
    (options: KitOptions) => measure('all', whole, options),
  );
  command(main, 'run', 'the workload of a file, as those in bench/workloads')
    .argument('<file>', 'JSON; bench/workloads/s1.json is an example')
    .action((file: string, options: KitOptions) => measure('run', [read(file)], options));
  main
    .command('schema')
    .description('write bench/result.schema.json, the JSON Schema of results')
    .action(() => writeFileSync(neighbour('bench/result.schema.json'), schemaText()));
}

function command(main: Command, name: string, description: string): Command {
  return main
    .command(name)
    .description(description)
    .option('--short', 'fewer and smaller trials, in one round: a look, no record')
    .addOption(
      new Option('--rounds <n>', 'measure each cell so often')
        .argParser(whole(1, 100))
        .default(null, 'the file says'),
    )
    .addOption(
      new Option('--only <setting=value>', 'only cells with this setting; may be given several times')
        .argParser((text, before: KitOptions['only']) => [...before, pairOf(text)])
        .default([], 'all'),
    )
    .addOption(
      new Option('--store <kind>', 'only cells on this store, as --only store=kind').choices([
        'memory',
        'sqlite',
        'postgres',
        'redis',
      ]),
    )
    .option(
      '--url <url>',
      'a running server, for cells on its kind of store; default: one is started, with fsync on',
    )
    .option(
      '--output <file>',
      'where the result is saved, after each trial; default: a new file in bench-results/',
    )
    .option('--resume <file>', 'go on with a result that was interrupted')
    .option('--json', 'print the result instead of a table')
    .option('--dir <folder>', "where the stores' files go; default: the system's temporary folder")
    .addOption(
      new Option('--sabotage <how>', 'falsify one job of each trial, to prove that the check notices')
        .choices(['lost', 'repeated'])
        .default(null)
        .hideHelp(),
    );
}

function read(path: string): WorkloadFile {
  return parseWorkload(readFileSync(path, 'utf8'), path);
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`--only ${text}: expected a setting and its value, as in --only store=redis`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function measure(name: string, workloads: readonly WorkloadFile[], options: KitOptions): Promise<void> {
  return inBench(name, { dir: options.dir, profile: null }, async (bench) => {
    const plans = workloads.flatMap((workload) => plansOf(workload, workloads.length > 1, options));
    if (plans.length === 0) throw new Error('--only and --store leave nothing to measure.');
    const before = options.resume === undefined ? null : readResult(options.resume);
    const file = fileOf(name, options);
    const document = await measureCells({
      command: name,
      arguments: recordedArguments(process.argv),
      plans,
      targets: workloads.flatMap((workload) => targetsOf(workload, workloads.length > 1)),
      bench,
      sabotage: options.sabotage,
      urls: urlsOf(options.url),
      before,
      save: (result) => file.write(result),
    });
    tell(document, file.path, bench, options.json === true);
  });
}

function plansOf(
  workload: WorkloadFile,
  several: boolean,
  { short = false, rounds, only, store }: KitOptions,
): CellPlan[] {
  const wanted = store === undefined ? only : [...only, ['store', store] as const];
  const plans = planOf(workload, { short, rounds, only: wanted });
  if (!several) return plans;
  return plans.map(({ id, settings, ...plan }) => ({
    ...plan,
    id: `${workload.name}: ${id}`,
    settings: { ...settings, of: workload.name },
  }));
}

/** Of several workloads, each judges its own cells. */
function targetsOf({ name, targets = [] }: WorkloadFile, several: boolean): TargetRule[] {
  return several ? targets.map((rule) => ({ ...rule, where: { ...rule.where, of: name } })) : targets;
}

function tell(document: KitDocument, path: string, { progress }: Bench, json: boolean): void {
  progress.stop();
  process.stdout.write(json ? `${JSON.stringify(told(document), null, 2)}\n` : `${resultTable(document)}\n`);
  progress.note(`saved as ${path}`);
  if (document.cells.some(({ status }) => status === 'failed')) process.exitCode = 1;
}

/** Flows by shape, where they are of one store: what programs look up. */
function told(document: KitDocument): object {
  const stores = new Set(document.cells.map(({ workload }) => workload.store));
  return document.command === 'flows' && stores.size === 1
    ? { ...document, ...flowFigures(document) }
    : document;
}

function readResult(path: string): KitDocument {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Value.Check(KitDocument, value)) throw new Error(`--resume ${path}: that is no result of this kit`);
  const here = describeMachine('.');
  for (const field of ['cpu', 'cores', 'node', 'longshore', 'commit'] as const)
    if (value.machine[field] !== here[field])
      throw new Error(
        `--resume ${path}: it was measured with another ${field}, ${value.machine[field]}, and here it is ${here[field]}; begin anew`,
      );
  return value;
}

function fileOf(name: string, { output, resume }: KitOptions): ResultFile {
  const path = output ?? resume;
  if (path !== undefined) return ResultFile.at(path);
  // The name that the suite of throughput, latency and memory has always had.
  return ResultFile.fresh(
    'bench-results',
    ['s1', 'all'].includes(name) ? 'benchmark_results' : name,
    new Date(),
  );
}

function urlsOf(url: string | undefined): Partial<Record<StoreKind, string>> {
  if (url === undefined) return {};
  return /^rediss?:/.test(url) ? { redis: url } : { postgres: url };
}
