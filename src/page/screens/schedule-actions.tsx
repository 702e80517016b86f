import { act } from '../api.ts';
import type { ScheduleSummary } from '../data.ts';
import { ActButton, type Question } from '../dialog.tsx';

export function ScheduleActions({
  of: { name, paused },
  reload,
}: {
  of: ScheduleSummary;
  reload: () => void;
}) {
  const place = `schedules/${encodeURIComponent(name)}`;
  const question =
    (verb: 'pause' | 'resume' | 'run', title: string, text: string, told: string) => (): Question => ({
      title,
      text,
      verb: title.replace(/ .*/, ''),
      fields: [{ name: 'note', label: 'Note', kind: 'text' }],
      run: async ({ note = '' }) => {
        await act('POST', `${place}/${verb}`, note.trim() === '' ? {} : { note: note.trim() });
        reload();
        return told;
      },
    });
  return (
    <span class="buttons">
      <ActButton
        label="Run now"
        needs="act"
        question={question('run', `Start ${name} now?`, 'Its ticks go on as before.', `${name} was started.`)}
      />
      {paused === null ? (
        <ActButton
          label="Pause"
          needs="act"
          question={question(
            'pause',
            `Pause ${name}?`,
            'It starts nothing until it is resumed.',
            `${name} is paused.`,
          )}
        />
      ) : (
        <ActButton
          label="Resume"
          needs="act"
          main
          question={question(
            'resume',
            `Resume ${name}?`,
            'It goes on with the next tick from now.',
            `${name} goes on.`,
          )}
        />
      )}
    </span>
  );
}
