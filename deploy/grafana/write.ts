/** Writes the dashboards as the JSON that Grafana imports. */
import { writeFileSync } from 'node:fs';
import { DASHBOARDS, dashboard } from './dashboards.ts';

for (const name of Object.keys(DASHBOARDS) as (keyof typeof DASHBOARDS)[])
  writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(dashboard(name), null, 2)}\n`);
