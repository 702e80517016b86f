/**
 * The dashboards of Longshore's metrics, as Grafana's own builders make them. `node deploy/grafana/write.ts` writes the JSON files
 * beside this one, which Grafana imports; every expression is tried with a real Prometheus by test/deploy/dashboards.test.ts.
 */
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Panel {
  readonly title: string;
  readonly unit?: string;
  readonly queries: readonly Query[];
  /** One figure instead of a line over time. */
  readonly figure?: true;
}

export interface Query {
  readonly expression: string;
  readonly legend: string;
}

const JOBS: readonly Panel[] = [
  { title: 'Waiting', figure: true, queries: [query('sum(longshore_queue_jobs{state="ready"})', 'ready')] },
  {
    title: 'Running',
    figure: true,
    queries: [query('sum(longshore_queue_jobs{state="running"})', 'running')],
  },
  {
    title: 'Dead letters',
    figure: true,
    queries: [query('sum(longshore_queue_jobs{state="failed"})', 'failed')],
  },
  {
    title: 'Oldest waiting job',
    figure: true,
    unit: 's',
    queries: [query('max(longshore_queue_oldest_age_seconds)', 'oldest')],
  },
  {
    title: 'Attempts by outcome',
    unit: 'ops',
    queries: [
      query('sum by (outcome) (rate(longshore_job_attempts_total[$__rate_interval]))', '{{outcome}}'),
    ],
  },
  {
    title: 'Jobs added',
    unit: 'ops',
    queries: [
      query('topk(10, sum by (queue) (rate(longshore_jobs_enqueued_total[$__rate_interval])))', '{{queue}}'),
    ],
  },
  {
    title: 'Waiting jobs by queue',
    queries: [query('topk(10, longshore_queue_jobs{state="ready"})', '{{queue}}')],
  },
  {
    title: 'Age of the oldest waiting job',
    unit: 's',
    queries: [query('topk(10, longshore_queue_oldest_age_seconds)', '{{queue}}')],
  },
  { title: 'Wait', unit: 's', queries: quantiles('longshore_job_wait_seconds') },
  { title: 'Time in the handler', unit: 's', queries: quantiles('longshore_job_run_seconds') },
  {
    title: 'Slowest tasks (mean)',
    unit: 's',
    queries: [
      query(
        'topk(10, sum by (task) (rate(longshore_job_run_seconds_sum[$__rate_interval])) / sum by (task) (rate(longshore_job_run_seconds_count[$__rate_interval]) > 0))',
        '{{task}}',
      ),
    ],
  },
  {
    title: 'Failing tasks',
    unit: 'ops',
    queries: [
      query(
        'topk(10, sum by (task) (rate(longshore_job_attempts_total{outcome=~"retried|failed"}[$__rate_interval])))',
        '{{task}}',
      ),
    ],
  },
];

const WORKERS: readonly Panel[] = [
  {
    title: 'Workers',
    figure: true,
    queries: [query('sum(longshore_fleet_workers{state="alive"})', 'alive')],
  },
  { title: 'Slots', figure: true, queries: [query('sum(longshore_fleet_slots{state="total"})', 'slots')] },
  {
    title: 'Slots used',
    figure: true,
    unit: 'percentunit',
    queries: [
      query(
        'sum(longshore_fleet_slots{state="used"}) / sum(longshore_fleet_slots{state="total"} > 0)',
        'used',
      ),
    ],
  },
  {
    title: 'Workers in trouble',
    figure: true,
    queries: [query('sum(longshore_worker_troubles)', 'in trouble')],
  },
  {
    title: 'Slots by process',
    queries: [
      query('longshore_slots', '{{instance}} slots'),
      query('longshore_slots_used', '{{instance}} used'),
    ],
  },
  { title: 'Threads and processes', queries: [query('sum by (lane) (longshore_hosts)', '{{lane}}')] },
  {
    title: 'Tasks by lane',
    queries: [query('count by (lane) (max by (task, lane) (longshore_task_lane))', '{{lane}}')],
  },
  {
    title: 'Tuner',
    unit: 'percentunit',
    queries: [
      query('longshore_tuner_cpu_ratio', '{{instance}} processor'),
      query('longshore_tuner_memory_ratio', '{{instance}} memory'),
    ],
  },
  {
    title: 'Store calls',
    unit: 'ops',
    queries: [
      query('sum by (verb) (rate(longshore_store_call_seconds_count[$__rate_interval]))', '{{verb}}'),
    ],
  },
  {
    title: 'Store calls, 95th percentile',
    unit: 's',
    queries: [
      query(
        'histogram_quantile(0.95, sum by (verb, le) (rate(longshore_store_call_seconds_bucket[$__rate_interval])))',
        '{{verb}}',
      ),
    ],
  },
  {
    title: 'Jobs a claim brings',
    queries: [
      query(
        'sum(rate(longshore_claimed_jobs_total[$__rate_interval])) / sum(rate(longshore_store_call_seconds_count{verb="claim"}[$__rate_interval]))',
        'jobs',
      ),
    ],
  },
];

const FLOWS: readonly Panel[] = [
  {
    title: 'Runs started',
    unit: 'ops',
    queries: [query('sum by (flow) (rate(longshore_runs_started_total[$__rate_interval]))', '{{flow}}')],
  },
  {
    title: 'Runs by where they went',
    unit: 'ops',
    queries: [query('sum by (to) (rate(longshore_runs_moved_total[$__rate_interval]))', '{{to}}')],
  },
  {
    title: 'Steps by where they went',
    unit: 'ops',
    queries: [query('sum by (to) (rate(longshore_steps_moved_total[$__rate_interval]))', '{{to}}')],
  },
  {
    title: 'Schedules: starts',
    unit: 'ops',
    queries: [
      query('sum by (schedule) (rate(longshore_schedule_starts_total[$__rate_interval]))', '{{schedule}}'),
    ],
  },
];

/** By the name of their file. */
export const DASHBOARDS = {
  jobs: { title: 'Longshore: jobs and queues', panels: JOBS },
  workers: { title: 'Longshore: workers and stores', panels: WORKERS },
  flows: { title: 'Longshore: flows and schedules', panels: FLOWS },
} as const;

export function dashboard(name: keyof typeof DASHBOARDS): Dashboard {
  const { title, panels } = DASHBOARDS[name];
  const builder = new DashboardBuilder(title)
    .uid(`longshore-${name}`)
    .tags(['longshore'])
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const panel of panels) builder.withPanel(panelOf(panel));
  return builder.build();
}

function panelOf({ title, unit = 'short', queries, figure }: Panel): StatBuilder | TimeBuilder {
  const panel = figure ? new StatBuilder().height(5).span(6) : new TimeBuilder().height(8).span(12).min(0);
  panel.title(title).unit(unit).datasource({ type: 'prometheus', uid: '$datasource' });
  for (const { expression, legend } of queries)
    panel.withTarget(new DataqueryBuilder().expr(expression).legendFormat(legend));
  return panel;
}

function query(expression: string, legend: string): Query {
  return { expression, legend };
}

function quantiles(name: string): Query[] {
  return [0.5, 0.95, 0.99].map((share) =>
    query(
      `histogram_quantile(${share}, sum by (le) (rate(${name}_bucket[$__rate_interval])))`,
      `${share * 100} %`,
    ),
  );
}
