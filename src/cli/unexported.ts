import { show } from '../core/errors.ts';
import type { FlowData } from '../core/flow/data.ts';

/** A flow as it was found in a task file. */
interface Found {
  readonly flow: { readonly name: string; readonly data: FlowData };
  readonly file: string;
}

/**
 * Words for flows whose steps run tasks that no task file exports: a newcomer exports the flow alone, and its jobs then wait
 * for a worker that has their tasks. Null where there is nothing to tell.
 */
export function unexportedNote(flows: readonly Found[], tasks: ReadonlySet<string>): string | null {
  const lines = flows.flatMap(({ flow, file }) => {
    const missing = [...new Set(tasksOf(flow.data))].filter((name) => !tasks.has(name));
    if (missing.length === 0) return [];
    return [
      `note: flow ${show(flow.name)} of ${file} runs ${named(missing)}, not exported by any task file.`,
    ];
  });
  if (lines.length === 0) return null;
  return `${lines.join('\n')}\nThis worker runs only tasks that are exported: write export in front of them, unless other workers have them.`;
}

function tasksOf({ steps }: FlowData): string[] {
  return steps.flatMap((step) => [
    ...('task' in step ? [step.task] : []),
    ...(step.undo === undefined ? [] : [step.undo.task]),
  ]);
}

function named(names: readonly string[]): string {
  const shown = names.map(show);
  if (shown.length === 1) return `the task ${shown[0]}`;
  return `the tasks ${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
