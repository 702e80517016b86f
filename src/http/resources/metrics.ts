import { LongshoreError } from '../../core/errors.ts';
import { type Operation, operation } from '../operation.ts';

/** Metrics for Prometheus, where the program has them (`longshore/prometheus`). */
const get = operation('GET /metrics', {
  id: 'getMetrics',
  summary: 'Metrics, as Prometheus scrapes them; 404 where the program sets none up',
  role: 'look',
  answers: { 200: { is: 'The metrics', schema: null, media: 'text/plain' } },
  async run({ settings: { metrics } }) {
    if (metrics === null)
      throw new LongshoreError(
        'HTTP_PATH_UNKNOWN',
        'No metrics are set up: serve with --metrics, or give the handler the option metrics.',
      );
    const headers = {
      'content-type': metrics.contentType,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    };
    return new Response(await metrics.text(), { headers });
  },
});

export const metrics: readonly Operation[] = [get];
