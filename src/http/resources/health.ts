import Type from 'typebox';
import { Closed, Nullable, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Health, for probes and for people. */
const TroubleForm = Nullable(Closed({ since: Time, code: Type.String(), message: Type.String() }));
const Ok = Closed({ ok: Type.Boolean() });

const live = operation('GET /health/live', {
  id: 'isLive',
  summary: 'This process answers',
  role: 'anyone',
  answers: { 200: { is: 'It does', schema: Ok } },
  run: async () => ({ json: { ok: true } }),
});

const ready = operation('GET /health/ready', {
  id: 'isReady',
  summary: 'The store answers, and the workers of this process can do their work',
  role: 'anyone',
  answers: { 200: { is: 'Ready', schema: Ok }, 503: { is: 'Not ready', schema: Ok } },
  run: async ({ longshore }) => {
    const { ok } = await longshore.health();
    return { json: { ok }, status: ok ? 200 : 503 };
  },
});

const HealthForm = Closed({
  ok: Type.Boolean(),
  store: Closed({ ok: Type.Boolean(), tookMs: Type.Number(), trouble: TroubleForm }),
  notifications: Type.Boolean({ description: 'Whether hints reach this process from others' }),
  workers: Type.Array(
    Closed({
      id: Type.String(),
      ok: Type.Boolean(),
      started: Type.Boolean(),
      running: Type.Integer(),
      claim: TroubleForm,
      beat: TroubleForm,
      settle: TroubleForm,
    }),
  ),
});

const detailed = operation('GET /health', {
  id: 'getHealth',
  summary: 'What is wrong, with the store and with the workers of this process',
  role: 'look',
  answers: {
    200: { is: 'All is well', schema: HealthForm },
    503: { is: 'Something is not', schema: HealthForm },
  },
  run: async ({ longshore }) => {
    const health = await longshore.health();
    return { json: health, status: health.ok ? 200 : 503 };
  },
});

export const health: readonly Operation[] = [live, ready, detailed];
