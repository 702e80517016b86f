/** The rules of docs/architecture.md about what may import what, and the rules of CONTRIBUTING.md that a program can check. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const LINES_MAX = 300;

/** Longer than 300 lines, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/store/store.ts': 'the whole contract on one page, most of it documentation',
};

/** Folders of what others wrote or a program made (examples/transactional). */
const OTHERS = ['node_modules', 'generated'];

const BANNED_NAMES = ['utils', 'util', 'common', 'helpers', 'types', 'interfaces', 'models'];

/** The file of each folder that says what the folder is for. */
const MAIN_FILES: Readonly<Record<string, string>> = {
  '': 'connect.ts',
  advice: 'advice.ts',
  cli: 'main.ts',
  'cli/temporal': 'settings.ts',
  'cli/operaton': 'work.ts',
  'cli/camunda': 'work.ts',
  connectors: 'environment.ts',
  'connectors/http': 'rest.ts',
  'connectors/temporal': 'index.ts',
  'connectors/operaton': 'index.ts',
  'connectors/camunda': 'index.ts',
  core: 'settle-rule.ts',
  'core/flow': 'decide.ts',
  'core/schedule': 'decide.ts',
  engine: 'runner.ts',
  execution: 'lane.ts',
  flow: 'define.ts',
  http: 'handler.ts',
  load: 'generate.ts',
  page: 'main.tsx',
  queue: 'client.ts',
  schedule: 'schedules.ts',
  store: 'store.ts',
  'store/memory': 'index.ts',
  'store/redis': 'index.ts',
  'store/postgres': 'index.ts',
  'store/sqlite': 'index.ts',
  telemetry: 'events.ts',
  'telemetry/otel': 'index.ts',
  'telemetry/prometheus': 'index.ts',
  testing: 'index.ts',
  'testing/store-conformance': 'index.ts',
  tuner: 'slots.ts',
  worker: 'worker.ts',
};

/** Folders that are a part of the one above, and explained there. */
const PARTS = /^(store\/\w+\/migrations|worker\/maintenance|cli\/commands|http\/resources|page\/screens)$/;

const EVENTS = /^telemetry\/(plan-)?events\.ts$/;
const CONTRACT = /^store\/[^/]+\.ts$/;
const STORE = /^store\/\w+\//;
/** What connectors of all kinds share. */
const CONNECTORS = /^connectors\/[^/]+\.ts$/;
/** Where the files of the package are. */
const OWN_FILE = /^own-file\.ts$/;
/** What results of the bench show, as data: pure, so the page bundles it. */
const REPORT_DATA = /^\.\.\/bench\/src\/report\/(?!command-line|read-results)[^/]+\.ts$/;
/** Whose handler runs: lanes say it, and what enqueues asks. */
const CURRENT_JOB = /^current-job\.ts$/;

/** What a layer may import, as patterns of paths below src/. The root is where everything is put together. */
const LAYERS: readonly { readonly of: RegExp; readonly may: readonly RegExp[] }[] = [
  { of: /^core\//, may: [/^core\//] },
  { of: CONTRACT, may: [/^core\//, CONTRACT, EVENTS, OWN_FILE] },
  { of: STORE, may: [/^core\//, CONTRACT, STORE, OWN_FILE] },
  { of: /^queue\//, may: [/^core\//, /^queue\//, CONTRACT, EVENTS, CURRENT_JOB] },
  { of: /^flow\//, may: [/^core\//, /^flow\//, CONTRACT, EVENTS, CURRENT_JOB] },
  {
    of: /^schedule\//,
    may: [/^core\//, /^schedule\//, CONTRACT, EVENTS, /^flow\//, /^queue\/enqueue\.ts$/],
  },
  {
    of: /^worker\//,
    may: [/^core\//, /^worker\//, CONTRACT, EVENTS, /^execution\//, /^tuner\//, /^flow\//, /^schedule\//],
  },
  {
    of: /^engine\//,
    may: [
      /^core\//,
      /^engine\//,
      CONTRACT,
      EVENTS,
      /^(execution|tuner|worker)\//,
      /^(cipher|log-for|own-file|system-clock)\.ts$/,
      /^telemetry\/log\.ts$/,
    ],
  },
  { of: CONNECTORS, may: [/^core\//, CONNECTORS] },
  {
    of: /^connectors\/http\//,
    may: [
      /^core\//,
      CONNECTORS,
      /^connectors\/http\//,
      /^engine\/(keeper|runner)\.ts$/,
      /^telemetry\/(log|warn-once)\.ts$/,
    ],
  },
  // A connector knows no other, and no store.
  {
    of: /^connectors\/temporal\//,
    may: [
      /^core\//,
      CONNECTORS,
      /^connectors\/temporal\//,
      EVENTS,
      /^engine\/(runner|work)\.ts$/,
      /^tuner\/settings\.ts$/,
      /^telemetry\//,
    ],
  },
  {
    of: /^connectors\/operaton\//,
    may: [
      /^core\//,
      /^engine\//,
      CONNECTORS,
      /^connectors\/(http|operaton)\//,
      EVENTS,
      /^system-clock\.ts$/,
      /^worker\/trouble\.ts$/,
    ],
  },
  {
    of: /^connectors\/camunda\//,
    may: [/^core\//, /^engine\//, CONNECTORS, /^connectors\/(http|camunda)\//, /^system-clock\.ts$/],
  },
  // Of a connection the type alone.
  { of: /^load\//, may: [/^core\//, /^load\//, /^connect\.ts$/] },
  { of: /^execution\//, may: [/^core\//, /^execution\//, OWN_FILE, CURRENT_JOB] },
  { of: /^tuner\//, may: [/^core\//, /^tuner\//] },
  { of: /^advice\//, may: [/^core\//, /^advice\//, CONTRACT] },
  // The version is named to collectors; handlers in threads are surrounded by what the tracer sets there.
  {
    of: /^telemetry\/otel\//,
    may: [/^core\//, /^telemetry\//, /^version\.ts$/, /^execution\/handler-scope\.ts$/],
  },
  { of: /^telemetry\/prometheus\//, may: [/^core\//, /^telemetry\//, /^version\.ts$/] },
  {
    of: /^http\//,
    may: [
      /^core\//,
      /^http\//,
      EVENTS,
      /^(queue|flow|schedule)\//,
      /^store\/store\.ts$/,
      /^(health|version)\.ts$/,
      OWN_FILE,
    ],
  },
  // Of the server the types alone, which a test below holds.
  { of: /^page\//, may: [/^page\//, /^http\/resources\//, REPORT_DATA] },
  { of: EVENTS, may: [/^core\//, EVENTS, CURRENT_JOB] },
  { of: /^telemetry\//, may: [/^core\//, /^telemetry\//] },
  { of: /^testing\//, may: [/^core\//, /^testing\//, CONTRACT, EVENTS] },
  { of: /^cli\//, may: [/^(?!testing\/)/] },
  { of: /^[^/]+\.ts$/, may: [/^(?!testing\/|cli\/)/] },
];

/** Where packages from npm may be imported. */
const VENDORS_IN = [
  /^cli\//,
  /^telemetry\/(?!events\.ts)/,
  /^connectors\//,
  /^store\/\w+\//,
  /^schedule\/cron\.ts$/,
  /^http\//,
  /^page\//,
];

/** Where not even Node's own modules may: the semantics are pure. */
const PURE = /^core\//;

/** `using x = ...` and `await using x = ...`. Node 22 runs the sources unbuilt and cannot parse either; use try and finally. */
const USING = /^\s*(?:for\s*(?:await\s*)?\(\s*)?(?:await\s+)?using\s+[\w$]+\s*(?:=|:|of\b)/m;

/**
 * Under Jest, errors of Node, answers of threads and dates of users are of another realm; core/legible.ts tells them. Own
 * promises are of this one.
 */
const OF_A_REALM =
  /^(?!\s*(?:\/?\*|\/\/)).*\binstanceof (?:\w*Error(?<!\b(?:Longshore|Commander)Error)|Object|Array|Function|Date|RegExp|Map|Set|ArrayBuffer|SharedArrayBuffer|\w+Array|Buffer|URL|AbortSignal)\b/m;

/** After the imports, if there are any, comes a comment of some length. */
const OPENING_COMMENT = /^(#!.*\n)?(import\s[^;]*;\s*)*\/\*\*((?!\*\/)[\s\S]){60,}/;

const STATIC =
  /^(?:import\s+(?:[^'";]*?\sfrom\s+)?|export\s+(?:type\s+)?(?:\*|\{)[^'";]*?\sfrom\s+)'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;
/** Threads and child processes are started by the place of their module. */
const BY_PLACE = /\bnew URL\('(\.[^']+\.ts)', import\.meta\.url\)/g;

interface Module {
  /** Below the folder of its package, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Specifiers as written. */
  readonly packages: readonly string[];
  /** Modules of that folder that it imports, types included. */
  readonly imports: readonly string[];
}

const modules = read('src');

/** The measuring kit: a package of its own, beside the published one. */
const kit = read('bench/src');

/** What the kit takes of Longshore goes through these. */
const DOORS = [
  'longshore.ts',
  'longshore-operaton.ts',
  'longshore-temporal.ts',
  'longshore-camunda.ts',
  'own-task/cli.ts',
  'own-task/exported-tasks.ts',
];

describe('the architecture', () => {
  test('the rules are checked against the modules there are', () => {
    assert.ok(modules.length > 50);
    const known = new Set([
      ...modules.map(({ path }) => path),
      ...kit.map(({ path }) => `../bench/src/${path}`),
    ]);
    const imports = modules.flatMap((module) => module.imports);
    assert.ok(imports.length > modules.length);
    assert.deepEqual(
      imports.filter((path) => !known.has(path)),
      [],
    );
  });

  test('every module imports what its layer may, and no more', () => {
    const faults = modules.flatMap(({ path, imports }) => {
      const layer = LAYERS.find(({ of }) => of.test(path));
      if (layer === undefined) return [`${path} belongs to no layer`];
      return imports
        .filter((target) => !layer.may.some((pattern) => pattern.test(target)))
        .map((target) => `${path} -> ${target}`);
    });
    assert.deepEqual(faults, []);
  });

  test('no store knows another', () => {
    const storeOf = (path: string): string | undefined => STORE.exec(path)?.[0];
    const faults = modules.flatMap(({ path, imports }) =>
      imports
        .filter((target) => storeOf(path) !== undefined && storeOf(target) !== undefined)
        .filter((target) => storeOf(target) !== storeOf(path))
        .map((target) => `${path} -> ${target}`),
    );
    assert.deepEqual(faults, []);
  });

  test('packages from npm appear only where vendors may be known', () => {
    const faults = modules
      .filter(({ path }) => !VENDORS_IN.some((place) => place.test(path)))
      .flatMap(({ path, packages }) =>
        packages.filter((name) => !name.startsWith('node:')).map((name) => `${path} -> ${name}`),
      );
    assert.deepEqual(faults, []);
  });

  test('the page takes nothing but types from the server', () => {
    const faults = modules
      .filter(({ path }) => path.startsWith('page/'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/^import (?!type )[^'";]*from '((?:\.\.\/)+(?:http|core)\/[^']+)'/gm)].map(
          ([, target]) => `${path} -> ${target}`,
        ),
      );
    assert.deepEqual(faults, []);
  });

  test('core does no input or output', () => {
    const faults = modules
      .filter(({ path, packages }) => PURE.test(path) && packages.length > 0)
      .map(({ path, packages }) => `${path} -> ${packages.join(', ')}`);
    assert.deepEqual(faults, []);
  });

  test('no module imports itself by way of others, types included', () => {
    assert.deepEqual([...cycles(modules), ...cycles(kit)], []);
  });

  test('nothing is named after the drawer it was put into', () => {
    const faults = ['src', 'test', 'examples', 'docs', 'setup', 'bench'].flatMap((folder) =>
      walk(join(ROOT, folder)).filter((path) =>
        relative(ROOT, path)
          .split(sep)
          .some((part) => BANNED_NAMES.includes(part.replace(/\..*$/, ''))),
      ),
    );
    assert.deepEqual(faults, []);
  });

  test('nothing is declared with `using`, which Node 22 cannot parse', () => {
    const folders = ['src', 'test', 'examples', 'setup', 'bench'];
    assert.ok(USING.test('  await using a = b;') && USING.test('for (using a of b)'));
    const faults = folders.flatMap(sources).filter((path) => USING.test(readFileSync(path, 'utf8')));
    assert.deepEqual(faults, []);
  });

  test('no statement numbers its parameters: Node 22 binds no values to `?1`', () => {
    const faults = modules.filter(({ path, text }) => STORE.test(path) && /[=( ]\?\d/.test(text));
    assert.deepEqual(
      faults.map(({ path }) => path),
      [],
    );
  });

  test('no statement of SQLite has a bare parameter as its LIMIT: it would be prepared anew at every call', () => {
    const faults = modules.filter(
      ({ path, text }) => path.startsWith('store/sqlite/') && /LIMIT \?/.test(text),
    );
    assert.deepEqual(
      faults.map(({ path }) => path),
      [],
    );
  });

  test('no value is told by `instanceof` a class of the language, of which each realm has its own', () => {
    const faults = modules.filter(({ path, text }) => path !== 'core/legible.ts' && OF_A_REALM.test(text));
    assert.deepEqual(
      faults.map(({ path }) => path),
      [],
    );
  });

  test('no file is longer than 300 lines without a reason', () => {
    const tooLong = ({ text }: Module): boolean => text.split('\n').length > LINES_MAX;
    const long = [
      ...modules.filter(tooLong).map(({ path }) => `src/${path}`),
      ...kit.filter(tooLong).map(({ path }) => `bench/src/${path}`),
    ];
    assert.deepEqual(long.sort(), Object.keys(LONG_FILES).sort());
  });

  test('the measuring kit takes of Longshore what its doors hand on', () => {
    assert.ok(kit.length > 20);
    const faults = kit
      .filter(({ path }) => !DOORS.includes(path))
      .flatMap(({ path, imports }) =>
        imports.filter((target) => target.startsWith('../')).map((target) => `${path} -> ${target}`),
      );
    assert.deepEqual(faults, []);
  });

  test('what results show is data: it imports neither Node nor packages, and only its own folder', () => {
    const data = kit.filter(
      ({ path }) => REPORT_DATA.test(`../bench/src/${path}`) || path.startsWith('report/recipes/'),
    );
    assert.ok(data.length > 10);
    const faults = data
      // Of the comparison's text, which is for terminals, the table.
      .filter(({ path }) => path !== 'report/comparison-text.ts')
      .flatMap(({ path, packages, imports }) =>
        [
          ...packages,
          ...imports.filter((target) => !/^(report\/(?!html\/)|kit\/ratio\.ts$)/.test(target)),
        ].map((target) => `${path} -> ${target}`),
      );
    assert.deepEqual(faults, []);
  });

  test('the main file of every folder opens by saying what the folder is for', () => {
    const folders = new Set(
      modules.map(({ path }) => posix.dirname(path)).map((path) => (path === '.' ? '' : path)),
    );
    const unexplained = [...folders].filter((folder) => !PARTS.test(folder) && !(folder in MAIN_FILES));
    assert.deepEqual(unexplained, []);
    for (const [folder, file] of Object.entries(MAIN_FILES)) {
      const path = posix.join(folder, file);
      const module = modules.find((candidate) => candidate.path === path);
      assert.ok(module !== undefined, `there is no src/${path}`);
      assert.ok(OPENING_COMMENT.test(module.text), `src/${path} does not open with a comment`);
    }
  });
});

/** In a folder of the repository: every source file that is run as it stands. */
function sources(folder: string): string[] {
  return walk(join(ROOT, folder)).filter((path) => /\.(ts|mjs|js)$/.test(path));
}

/** `folder` below the root of the repository. */
function read(folder: string): Module[] {
  const source = join(ROOT, folder);
  return walk(source)
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => {
      const path = relative(source, file).split(sep).join('/');
      const text = readFileSync(file, 'utf8');
      const specifiers = [STATIC, DYNAMIC, BY_PLACE].flatMap((pattern) =>
        [...text.matchAll(pattern)].map(([, specifier]) => specifier as string),
      );
      const [own, packages] = [
        specifiers.filter((specifier) => specifier.startsWith('.')),
        specifiers.filter((specifier) => !specifier.startsWith('.')),
      ];
      const imports = own.map((specifier) => posix.join(posix.dirname(path), specifier));
      return {
        path,
        text,
        packages,
        imports: [...new Set(imports)].filter((target) => /\.tsx?$/.test(target)),
      };
    });
}

/** Each cycle once, as a path through it. */
function cycles(of: readonly Module[]): string[] {
  const imports = new Map(of.map((module) => [module.path, module.imports]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of of) visit(path, []);
  return found;
}

function walk(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.split(sep).some((part) => OTHERS.includes(part)))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
