import { useState } from 'preact/hooks';
import type { ReportFile, ReportFiles } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, Table, Time } from '../parts.tsx';
import { go, type Route, to } from '../route.ts';
import { count } from '../words.ts';
import { ComparisonScreen } from './report-comparison.tsx';

/** Recorded results of the bench: one is opened, two of one command are compared. */
export function ReportsScreen({ route }: { route: Route }) {
  const [before, after] = [route.query.get('before'), route.query.get('after')];
  if (before !== null && after !== null) return <ComparisonScreen before={before} after={after} />;
  return <ListScreen />;
}

function ListScreen() {
  const files = useLoad<ReportFiles>('reports');
  const [chosen, choose] = useState<readonly string[]>([]);
  return (
    <Screen
      title="Reports"
      tools={
        <button
          type="button"
          disabled={chosen.length !== 2}
          onClick={() => go(to(['reports'], inOrder(chosen, files.data?.reports ?? [])))}
        >
          Compare two
        </button>
      }
    >
      <Shown of={files}>
        {({ open, reports, more }) =>
          !open ? (
            <Empty>
              No folder of reports is set up. Serve with <code>--reports FOLDER</code>, where the bench writes
              its results.
            </Empty>
          ) : reports.length === 0 ? (
            <Empty>
              The folder has no results yet. <code>npm run -s bench -- s1 --output FOLDER/s1.json</code>{' '}
              writes one.
            </Empty>
          ) : (
            <>
              <Table
                label="Reports, the newest first"
                columns={columns(chosen, choose)}
                rows={reports}
                keyOf={({ name }) => name}
              />
              {more > 0 && <p class="faint">{count(more)} older files are not listed.</p>}
            </>
          )
        }
      </Shown>
    </Screen>
  );
}

/** The one that was measured first is compared with the other. */
function inOrder(
  chosen: readonly string[],
  reports: readonly ReportFile[],
): { before: string; after: string } {
  const startOf = (name: string): string => reports.find((one) => one.name === name)?.startedAt ?? '';
  const [before = '', after = ''] = [...chosen].sort((one, other) =>
    startOf(one) < startOf(other) ? -1 : 1,
  );
  return { before, after };
}

function columns(
  chosen: readonly string[],
  choose: (names: readonly string[]) => void,
): readonly Column<ReportFile>[] {
  const toggle = (name: string): void =>
    choose(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen.slice(-1), name]);
  return [
    {
      name: 'Compare',
      show: ({ name, problem }) => (
        <input
          type="checkbox"
          aria-label={`Compare ${name}`}
          checked={chosen.includes(name)}
          disabled={problem !== null}
          onChange={() => toggle(name)}
        />
      ),
    },
    {
      name: 'Report',
      wide: true,
      show: ({ name, problem }) =>
        problem === null ? (
          <a href={to(['reports', name])}>{name}</a>
        ) : (
          <>
            {name} <span class="state state-failed">{problem}</span>
          </>
        ),
    },
    { name: 'Command', show: ({ command }) => command ?? '–' },
    { name: 'Store', show: ({ store }) => store ?? '–' },
    { name: 'Machine', show: ({ machine }) => machine ?? '–' },
    {
      name: 'Measured',
      show: ({ startedAt }) => <Time at={startedAt === null ? null : timeOf(startedAt)} />,
    },
    {
      name: 'Size',
      number: true,
      show: ({ bytes }) => `${count(Math.max(1, Math.round(bytes / 1_024)))} kB`,
    },
  ];
}

function timeOf(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
