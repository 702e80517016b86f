import Type from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import { Closed, Nullable, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { REPORT_NAME, ReportFiles } from '../report-files.ts';

/** Recorded results of the bench, in the folder that the program names; the page draws and compares them. */
export const ReportForm = Closed({
  name: Type.String({ description: "The file's name" }),
  bytes: Type.Integer(),
  modifiedAt: Time,
  command: Nullable(Type.String({ description: 'Of the bench, such as `versus`' })),
  startedAt: Nullable(Type.String({ description: 'ISO 8601' })),
  store: Nullable(Type.String()),
  machine: Nullable(Type.String({ description: 'Its processor' })),
  problem: Nullable(Type.String({ description: 'Why it cannot be opened' })),
});

export const ReportsForm = Closed({
  open: Type.Boolean({ description: 'Whether the program names a folder of reports' }),
  reports: Type.Array(ReportForm),
  more: Type.Integer({ description: 'Older files that are not listed' }),
});

/** One reader for each folder, so that what is known of its files is kept. */
const readers = new Map<string, ReportFiles>();

function readerOf(folder: string): ReportFiles {
  const reader = readers.get(folder) ?? new ReportFiles(folder);
  readers.set(folder, reader);
  return reader;
}

const list = operation('GET /reports', {
  id: 'listReports',
  summary: 'Recorded results of benchmarks, the newest 500',
  role: 'look',
  answers: { 200: { is: 'The reports', schema: ReportsForm } },
  run: async ({ settings: { reports } }) => ({
    json:
      reports === null
        ? { open: false, reports: [], more: 0 }
        : { open: true, ...(await readerOf(reports).list()) },
  }),
});

const get = operation('GET /reports/{name}', {
  id: 'getReport',
  summary: 'One recorded result, as the bench wrote it',
  role: 'look',
  params: Closed({ name: Type.String({ pattern: REPORT_NAME, description: "The file's name" }) }),
  answers: {
    200: {
      is: 'The result',
      schema: Closed({
        name: Type.String(),
        document: Type.Unknown({ description: "The bench's JSON document" }),
      }),
    },
  },
  run: async ({ settings: { reports }, params: { name } }) => {
    if (reports === null)
      throw new LongshoreError(
        'REPORT_UNKNOWN',
        'No folder of reports is set up: serve with --reports FOLDER.',
        {
          details: { name },
        },
      );
    return { json: { name, document: await readerOf(reports).read(name) } };
  },
});

export const reportsOperations: readonly Operation[] = [list, get];
