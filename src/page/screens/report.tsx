import { commandLine, machineRows, settingRows } from '../../../bench/src/report/origin.ts';
import { reportOf } from '../../../bench/src/report/report.ts';
import { NotAResult, type Result, resultOfDocument } from '../../../bench/src/report/result.ts';
import { useLoad } from '../live.ts';
import { Empty, Facts, Panel, Screen, Shown } from '../parts.tsx';
import { ReportChart } from '../report-chart.tsx';
import { type Route, to } from '../route.ts';

/** One recorded result: its charts with their figures, then machine, settings and command. */
export function ReportScreen({ route: { parts } }: { route: Route }) {
  const name = parts[1] ?? '';
  const report = useLoad<ReportAnswer>(`reports/${encodeURIComponent(name)}`, 'once');
  return (
    <Screen title={name} tools={<a href={to(['reports'])}>All reports</a>}>
      <Shown of={report}>{(answer) => <Opened answer={answer} />}</Shown>
    </Screen>
  );
}

export interface ReportAnswer {
  readonly name: string;
  readonly document: unknown;
}

function Opened({ answer }: { answer: ReportAnswer }) {
  const result = readable(answer);
  if (typeof result === 'string') return <Empty>{result}</Empty>;
  const { tiles, sections } = reportOf([result]);
  return (
    <>
      {tiles.length > 0 && (
        <ul class="tiles">
          {tiles.map(({ value, label }) => (
            <li key={label}>
              <b>{value}</b> {label}
            </li>
          ))}
        </ul>
      )}
      {sections.length === 0 && <Empty>This result holds no figures that can be drawn.</Empty>}
      {sections.map(({ title, intro, charts }) => (
        <Panel key={title} title={title}>
          <p class="faint">{intro}</p>
          <div class="report-charts">
            {charts.map((chart) => (
              <ReportChart key={chart.title} chart={chart} />
            ))}
          </div>
        </Panel>
      ))}
      <Panel title="How it was measured">
        <pre class="command">{commandLine(result)}</pre>
        <Facts of={machineRows(result)} />
      </Panel>
      <Panel title="Settings">
        <Facts of={settingRows(result)} />
      </Panel>
    </>
  );
}

/** The result, or why it is none. */
export function readable({ name, document }: ReportAnswer): Result | string {
  try {
    return resultOfDocument(name, document);
  } catch (error) {
    if (error instanceof NotAResult) return error.message;
    throw error;
  }
}
