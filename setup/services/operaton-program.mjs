/**
 * Operaton, the BPMN engine, as one file of Java: built with Maven from test/operaton into node_modules/.cache, which takes
 * some minutes, 60 MB there and 150 MB in Maven's own folder. Only whoever asks for it builds it
 * (`npm run services -- --operaton`, and tests with CI set); tests use what is there.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLock } from '../lock.mjs';
import { onPath } from './on-path.mjs';

const run = promisify(execFile);

const SOURCES = fileURLToPath(new URL('../../test/operaton', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services/operaton', import.meta.url));

/** This version of the plugin takes a file without its descriptor, which the one of this artifact prevents (see pom.xml). */
const FETCH = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:get';
const SPIN_JSON = 'org.operaton.spin:operaton-spin-dataformat-json-jackson:1.0.0';

/** What a test says that is skipped for want of it. */
export const OPERATON_MISSING =
  'Operaton is not built yet. `npm run services -- --operaton` builds it once with Java 17 or newer and Maven (apt-get install openjdk-17-jdk-headless maven), which takes some minutes.';

/** @returns {{ java: string, jar: string } | undefined} */
export function operatonProgram() {
  const java = onPath('java');
  const jar = jarOf();
  return java !== undefined && existsSync(jar) ? { java, jar } : undefined;
}

/** @returns {Promise<{ java: string, jar: string }>} throws where Java or Maven is missing, or it does not build */
export async function builtOperaton() {
  const there = operatonProgram();
  if (there !== undefined) return there;
  for (const program of ['java', 'mvn'])
    if (onPath(program) === undefined)
      throw new Error(`Operaton needs ${program}, which is not on the PATH. ${OPERATON_MISSING}`);
  mkdirSync(dirname(CACHE), { recursive: true });
  return withLock(dirname(CACHE), async () => operatonProgram() ?? (await build()));
}

/** Named after its sources: one that was built from others is not taken for it. */
function jarOf() {
  const hash = createHash('sha256');
  for (const file of sources()) hash.update(file).update(readFileSync(join(SOURCES, file)));
  return join(CACHE, `operaton-${hash.digest('hex').slice(0, 16)}.jar`);
}

function sources() {
  const below = readdirSync(join(SOURCES, 'src'), { recursive: true, withFileTypes: true });
  const files = below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return ['pom.xml', ...files.map((file) => file.slice(SOURCES.length + 1)).sort()];
}

/** In a copy: Maven writes beside the sources. */
async function build() {
  process.stderr.write(
    'set-up: building Operaton with Maven into node_modules/.cache; this takes some minutes\n',
  );
  const folder = join(CACHE, 'build');
  rmSync(folder, { recursive: true, force: true });
  for (const file of sources()) cpSync(join(SOURCES, file), join(folder, file));
  const maven = (...args) =>
    run('mvn', ['--batch-mode', '--quiet', ...args], { cwd: folder, maxBuffer: 2 ** 26 });
  await maven(FETCH, '-Dtransitive=false', `-Dartifact=${SPIN_JSON}`, '-Ddest=lib/spin-json.jar');
  await maven('-DskipTests', 'package');
  renameSync(join(folder, 'target', 'operaton.jar'), jarOf());
  rmSync(folder, { recursive: true });
  return operatonProgram();
}
