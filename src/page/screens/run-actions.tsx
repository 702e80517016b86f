import { act } from '../api.ts';
import type { Run } from '../data.ts';
import { ActButton, type Question, WHY, whyOf } from '../dialog.tsx';

export function RunActions({ run, reload }: { run: Run; reload: () => void }) {
  if (run.endedAt !== null) return null;
  const cancel = (): Question => ({
    title: 'Stop this run?',
    text: 'Steps that wait do not run; those that run are asked to stop.',
    verb: 'Stop the run',
    isDanger: true,
    fields: [{ name: 'compensate', label: 'Undo what completed', kind: 'check' }, WHY],
    run: async (given) => {
      const body = { compensate: given.compensate !== undefined, ...whyOf(given) };
      await act('POST', `runs/${encodeURIComponent(run.id)}/cancel`, body);
      reload();
      return 'The run is being stopped.';
    },
  });
  return <ActButton label="Stop…" needs="act" question={cancel} />;
}
