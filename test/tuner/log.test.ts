import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { EventBus } from '../../src/telemetry/events.ts';
import { logEvents } from '../../src/telemetry/log.ts';

test('the log says how many slots there were and are, why, and what was read', () => {
  const lines: { msg: string; reason?: string }[] = [];
  const bus = new EventBus();
  logEvents(bus, pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }));
  const targets = { targetCpu: 0.9, targetMemory: 0.8 };
  bus.emit('tuner.sensorChosen', { sensor: 'cgroup v2 (2 cores)', problem: null });
  bus.emit('tuner.sampled', { cpu: 0.5, memory: 0.5, used: 1, open: 2, total: 3 });
  bus.emit('tuner.adjusted', {
    ...targets,
    from: 20,
    to: 14,
    reason: 'memoryOverTarget',
    cpu: 0.5,
    memory: 0.83,
    used: 20,
  });
  bus.emit('tuner.sensorChosen', { sensor: 'the machine (2 cores)', problem: 'memory.current is gone' });
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    [
      'tuner reads cgroup v2 (2 cores)',
      'tuner adjusted slots from 20 to 14: memory is over its target (processor 50 %, target 90 %; memory 83 %, target 80 %; 20 used)',
      'tuner reads the machine (2 cores), since what it read before failed: memory.current is gone',
    ],
  );
  assert.equal(lines[1]?.reason, 'memoryOverTarget');
});
