import { JOB_STATES, type JobState, statesThatAllow, WAITING_STATES } from '../../core/job-state.ts';
import type { ControlReceipt, JobCommand } from '../store.ts';
import { idBytes } from './record.ts';
import type { Argument } from './request.ts';
import type { Session } from './session.ts';
import { stateNumber, stateOf } from './states.ts';

/** What operators do to single jobs. Which states allow it goes over with each command, so the table stands in core alone. */
export async function control(
  { scripts }: Session,
  commands: readonly JobCommand[],
  now: number | undefined,
): Promise<ControlReceipt[]> {
  if (commands.length === 0) return [];
  const { values } = await scripts.run('control', now, commands.flatMap(toArguments));
  return (values[0] as [Buffer, number][]).map(([status, state]) => ({
    status: status.toString() as ControlReceipt['status'],
    state: stateOf(state) ?? null,
  }));
}

function toArguments(command: JobCommand): Argument[] {
  const { id, type, by, why } = command;
  const audit = JSON.stringify({ action: type, by, why }).slice(0, -1);
  return [idBytes(id), type, statesAllowing(type).map(stateNumber).join(''), argumentOf(command), audit];
}

function statesAllowing(type: JobCommand['type']): readonly JobState[] {
  if (type === 'remove') return JOB_STATES.filter((state) => state !== 'running');
  if (type === 'reprioritize' || type === 'edit') return WAITING_STATES;
  return statesThatAllow(type);
}

function argumentOf(command: JobCommand): string {
  switch (command.type) {
    case 'reschedule':
      return String(command.dueAt);
    case 'reprioritize':
      return String(command.priority);
    case 'resolve':
      return command.result === null ? 'n' : `s${command.result}`;
    case 'edit':
      return command.input === null ? 'n' : `s${command.input}`;
    default:
      return '';
  }
}
