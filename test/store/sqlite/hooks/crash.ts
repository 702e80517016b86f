import type { Work } from '../../../../src/store/sqlite/transact.ts';

/** The queue named in an enqueue says where the thread or the whole process dies. */
export function beforeCommit(group: readonly Work[]): void {
  if (names(group, 'thread-before-commit')) process.exit(7);
  if (names(group, 'process-before-commit')) process.kill(process.pid, 'SIGKILL');
}

export function afterCommit(group: readonly Work[]): void {
  if (names(group, 'process-after-commit')) process.kill(process.pid, 'SIGKILL');
}

function names(group: readonly Work[], queue: string): boolean {
  return group.some(
    ({ verb, input }) =>
      verb === 'enqueue' && (input as { queue: string }[]).some((job) => job.queue === queue),
  );
}
