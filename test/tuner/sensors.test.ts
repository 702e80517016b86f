import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { portableHost } from '../../src/tuner/host.ts';
import { MachineFiles } from '../../src/tuner/machine-files.ts';
import { machineSensor, SteadySensor } from '../../src/tuner/machine-sensor.ts';
import { type Sensor, sensorOf } from '../../src/tuner/sensor.ts';
import { temporaryFolder } from '../stage.ts';

const GROUP = 'sys/fs/cgroup/app.slice';

interface Machine {
  readonly root: string;
  readonly sensor: Sensor;
  nowMs: number;
  write(path: string, text: string): Promise<void>;
}

/** A copy of the files of a machine, and what reads them. */
async function machine(t: TestContext, name: string): Promise<Machine> {
  const root = await temporaryFolder(t);
  await cp(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), root, { recursive: true });
  const made = { nowMs: 1_000 };
  const sensor = machineSensor({ files: new MachineFiles(root), now: () => made.nowMs });
  return Object.assign(made, {
    root,
    sensor,
    write: (path: string, text: string) => writeFile(join(root, path), text),
  });
}

test('version 2: the processor of the group above, the memory of the own one, without files nobody touched', async (t) => {
  const { sensor, write, ...rest } = await machine(t, 'container-v2');
  assert.equal(sensor.name, 'cgroup v2 (1.5 cores), cgroup v2 (512 MiB)');
  assert.equal(rest.nowMs, 1_000);
  const { memory } = sensor.sample();
  assert.equal(memory, (402_653_184 - 134_217_728) / 536_870_912);
  await write(`${GROUP}/worker.scope/memory.current`, `${134_217_728 + 483_183_820}\n`);
  assert.ok(Math.abs(sensor.sample().memory - 0.9) < 0.001);
});

test('version 2: the use is the time used by the time allowed', async (t) => {
  const made = await machine(t, 'container-v2');
  made.nowMs += 1_000;
  await made.write(`${GROUP}/cpu.stat`, 'usage_usec 4750000\n');
  assert.equal(made.sensor.sample().cpu, 0.5);
  made.nowMs += 200;
  await made.write(`${GROUP}/cpu.stat`, 'usage_usec 5050000\n');
  assert.equal(made.sensor.sample().cpu, 1);
});

test('version 2: a tighter limit further down counts, once it is set', async (t) => {
  const made = await machine(t, 'container-v2');
  await made.write(`${GROUP}/worker.scope/cpu.max`, '20000 100000\n');
  for (let samples = 0; samples < 50; samples += 1) made.sensor.sample();
  made.nowMs += 1_000;
  await made.write(`${GROUP}/worker.scope/cpu.stat`, 'usage_usec 3200000\n');
  await made.write(`${GROUP}/cpu.stat`, 'usage_usec 4200000\n');
  assert.equal(made.sensor.sample().cpu, 1);
});

test("version 1, in a container: the path is the host's, the files are at the mount's root", async (t) => {
  const made = await machine(t, 'container-v1');
  assert.equal(made.sensor.name, 'cgroup v1 (0.5 cores), cgroup v1 (256 MiB)');
  made.nowMs += 1_000;
  await made.write('sys/fs/cgroup/cpuacct/cpuacct.usage', '7250000000\n');
  assert.deepEqual(made.sensor.sample(), { cpu: 0.5, memory: (201_326_592 - 67_108_864) / 268_435_456 });
});

test('without limits it is the machine: time not idle, memory not available', async (t) => {
  const made = await machine(t, 'machine-v1');
  assert.match(made.sensor.name, /^the machine \(2 cores\), the machine \(24106 MiB\)$/);
  const lines = (busy: number, idle: number): string =>
    ['cpu', 'cpu0', 'cpu1'].map((cpu) => `${cpu} ${busy} 0 0 ${idle} 0 0 0 0 0 0`).join('\n');
  await made.write('proc/stat', lines(10_000_000, 10_000_000));
  made.sensor.sample();
  await made.write('proc/stat', lines(10_000_030, 10_000_010));
  assert.equal(made.sensor.sample().cpu, 0.75);
  await made.write('proc/meminfo', 'MemTotal: 24684092 kB\nMemFree: 1 kB\nMemAvailable: 6171023 kB\n');
  assert.equal(made.sensor.sample().memory, 0.75);
});

test('processors that this process may not use do not count', async (t) => {
  const root = await temporaryFolder(t);
  await cp(fileURLToPath(new URL('fixtures/machine-v1', import.meta.url)), root, { recursive: true });
  await writeFile(join(root, 'proc/self/status'), 'Cpus_allowed_list:\t1,3-5\n');
  const stat = (busy: number): string =>
    `cpu0 ${busy * 9} 0 0 100 0 0 0 0\ncpu1 ${busy} 0 0 ${100 - busy} 0 0 0 0\n`;
  await writeFile(join(root, 'proc/stat'), stat(0));
  const sensor = machineSensor({ files: new MachineFiles(root) });
  await writeFile(join(root, 'proc/stat'), 'cpu0 900 0 0 100 0 0 0 0\ncpu1 50 0 0 150 0 0 0 0\n');
  assert.match(sensor.name, /^the machine \(1 cores\)/);
  assert.equal(sensor.sample().cpu, 0.5);
});

test('a folder without any of these files is no obstacle', async (t) => {
  const sensor = machineSensor({ files: new MachineFiles(await temporaryFolder(t)) });
  const { cpu, memory } = sensor.sample();
  assert.ok(cpu >= 0 && cpu <= 1 && memory > 0 && memory < 1);
});

test('this machine can be read', () => {
  const { cpu, memory } = machineSensor().sample();
  assert.ok(cpu >= 0 && cpu <= 1.5, `${cpu}`);
  assert.ok(memory > 0 && memory < 1, `${memory}`);
});

test('a file that vanishes: the last good values for 5 s, then another sensor, said once', async (t) => {
  const made = await machine(t, 'container-v2');
  const chosen: (string | null)[] = [];
  const { cpu, memory } = portableHost();
  const steady = new SteadySensor({
    open: () => made.sensor,
    spare: () => sensorOf(cpu, memory),
    onChosen: (_name, problem) => chosen.push(problem),
    now: () => made.nowMs,
  });
  const good = steady.sample();
  assert.equal(good?.memory, 0.5);
  await rm(join(made.root, GROUP, 'worker.scope/memory.current'));
  made.nowMs += 4_900;
  assert.deepEqual(steady.sample(), good);
  for (let samples = 0; samples < 5; samples += 1) {
    made.nowMs += 200;
    steady.sample();
  }
  assert.equal(chosen.length, 2);
  assert.equal(chosen[0], null);
  assert.match(chosen[1] ?? '', /memory\.current/);
  assert.notEqual(steady.sample()?.memory, 0.5);
});

test('nonsense in a file counts as no reading', async (t) => {
  const made = await machine(t, 'container-v2');
  const { cpu, memory } = portableHost();
  const steady = new SteadySensor({
    open: () => made.sensor,
    spare: () => sensorOf(cpu, memory),
    onChosen: () => undefined,
    now: () => made.nowMs,
  });
  const good = steady.sample();
  for (const [text, of] of [
    ['a lot', 'words'],
    ['99999999999999', 'a number beyond the limit'],
  ] as const) {
    await made.write(`${GROUP}/worker.scope/memory.current`, text);
    assert.deepEqual(steady.sample(), good, of);
  }
  // A counter that starts again at 0.
  made.nowMs += 1_000;
  await made.write(`${GROUP}/worker.scope/memory.current`, '402653184');
  await made.write(`${GROUP}/cpu.stat`, 'usage_usec 5\n');
  assert.deepEqual(steady.sample(), good);
  made.nowMs += 1_000;
  await made.write(`${GROUP}/cpu.stat`, 'usage_usec 750005\n');
  assert.equal(steady.sample()?.cpu, 0.5);
});
