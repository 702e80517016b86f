import { act } from '../api.ts';
import type { Job } from '../data.ts';
import { ActButton, jsonOf, type Question, WHY, whyOf } from '../dialog.tsx';
import { go, to } from '../route.ts';

/** What may be done with a job by hand, by its state. */
export function JobActions({ job, reload }: { job: Job; reload: () => void }) {
  const place = `jobs/${encodeURIComponent(job.id)}`;
  const isWaiting = job.state === 'ready' || job.state === 'scheduled';
  const post = async (verb: string, body: object, told: string): Promise<string> => {
    await act('POST', `${place}/${verb}`, body);
    reload();
    return told;
  };
  const cancel = (): Question => ({
    title: 'Cancel this job?',
    text: isWaiting ? 'It will not run.' : 'It runs now: its handler is asked to stop.',
    verb: 'Cancel the job',
    isDanger: true,
    fields: [WHY],
    run: (given) => post('cancel', whyOf(given), isWaiting ? 'Cancelled.' : 'Asked to stop.'),
  });
  const redrive = (): Question => ({
    title: 'Run this job again?',
    text: 'It gets fresh attempts and becomes ready at once.',
    verb: 'Run it again',
    fields: [WHY],
    run: (given) => post('redrive', whyOf(given), 'It is ready to run again.'),
  });
  const resolve = (): Question => ({
    title: 'Count this job as completed?',
    text: 'It does not run again. What waits for it goes on with this result.',
    verb: 'Count as completed',
    fields: [{ name: 'result', label: 'Result, as JSON', kind: 'json', value: 'null' }, WHY],
    run: (given) =>
      post('resolve', { result: jsonOf(given.result ?? 'null'), ...whyOf(given) }, 'It counts as completed.'),
  });
  const now = (): Question => ({
    title: 'Run this job now?',
    text: 'It becomes ready at once instead of waiting for its time.',
    verb: 'Make it ready',
    fields: [WHY],
    run: (given) => post('reschedule', { at: Date.now() - 1_000, ...whyOf(given) }, 'It is ready.'),
  });
  const remove = (): Question => ({
    title: 'Delete this job?',
    text: 'All that is kept of it goes, and does not come back.',
    verb: 'Delete it',
    isDanger: true,
    run: async () => {
      await act('DELETE', place);
      go(to(['jobs']));
      return 'Deleted.';
    },
  });
  return (
    <>
      {job.state === 'scheduled' && <ActButton label="Run now" needs="act" question={now} main />}
      {(job.state === 'failed' || job.state === 'cancelled') && (
        <ActButton label="Run again" needs="act" question={redrive} main />
      )}
      {job.state === 'failed' && <ActButton label="Count as completed" needs="act" question={resolve} />}
      {(isWaiting || job.state === 'running') && <ActButton label="Cancel" needs="act" question={cancel} />}
      {job.state !== 'running' && <ActButton label="Delete" needs="administer" question={remove} />}
    </>
  );
}
