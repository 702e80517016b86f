import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadNeighbour } from './neighbours.ts';

/**
 * A program beside the package as it is published: a few files of JavaScript. The compiler that lets Node run the sources
 * takes memory of its own, and so does each of many modules; a user's process has neither. Built into the measurement's folder.
 */
export async function builtProgram(name: string, folder: string): Promise<string> {
  const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
  const source = join(root, 'src');
  const out = join(folder, 'built');
  const library = join(out, 'src');
  mkdirSync(out);
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
  const project = join(folder, 'tsconfig.json');
  writeFileSync(project, JSON.stringify(configuration(root, name, out)));
  await compile(project);
  const { bundle } = await loadNeighbour<Bundler>('setup/bundle.mjs', 'Measure a build.');
  await bundle(source, library);
  cpSync(source, library, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts'),
  });
  // Where drivers of servers are found.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const file = join(out, 'bench', 'src', 'programs', `${name}.js`);
  if (!existsSync(file)) throw new Error(`The build has no ${name}.js.`);
  return file;
}

interface Bundler {
  bundle(source: string, out: string): Promise<void>;
}

/** As the package is built, but only the program and what it loads; the bundle then takes the package's place. */
function configuration(root: string, name: string, out: string): object {
  return {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: root,
      outDir: out,
      typeRoots: [join(root, 'node_modules', '@types')],
      declaration: false,
    },
    files: [join(root, 'bench', 'src', 'programs', `${name}.ts`)],
    include: [],
  };
}

async function compile(project: string): Promise<void> {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  );
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', project]);
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    throw new Error(
      `The sources do not compile, so there is no build to measure:\n${stdout.slice(0, 2_000)}`,
      {
        cause: error,
      },
    );
  }
}
