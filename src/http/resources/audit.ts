import Type from 'typebox';
import { Closed, Cursor, Limit, Name, Nullable, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** What people did by hand, to whatever it was. */
const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;

const EntryForm = Closed({
  at: Time,
  by: Type.String(),
  action: Type.String({ description: 'The operationId, for what was done over HTTP' }),
  target: Nullable(Type.String()),
  why: Nullable(Type.String()),
  details: Type.Unknown(),
});

const list = operation('GET /audit', {
  id: 'listAudit',
  summary: 'What was done by hand over HTTP and on the command line in the last 90 days, the newest first',
  role: 'look',
  query: Closed({
    action: Type.Optional(Name('As `pauseQueue`', 100)),
    limit: Type.Optional(Limit(PAGE_MAX, PAGE_DEFAULT)),
    cursor: Type.Optional(Cursor),
  }),
  answers: {
    200: {
      is: 'A page',
      schema: Closed({ entries: Type.Array(EntryForm), cursor: Nullable(Type.String()) }),
    },
  },
  run: async ({ longshore, query }) => ({ json: await longshore.audit.list(query) }),
});

export const audit: readonly Operation[] = [list];
