/** Types of steps, items, cursors, signals and results, held by the compiler: nothing here runs. */
import { z } from 'zod';
import {
  defineFlow,
  defineTask,
  type FlowResult,
  type FlowSignals,
  optional,
  type RunHandle,
  type RunOf,
} from '../../src/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Fact extends true>(): void => undefined;

const parse = defineTask({
  name: 'parse',
  input: z.object({ n: z.number() }),
  run: () => ({ list: ['x'], inner: null as { deep: string } | null }),
});
const text = defineTask<{ text: string }, string>({ name: 'text', run: ({ input }) => input.text });
const number = defineTask<number, number>({ name: 'number', run: ({ input }) => input });
const many = defineTask<string[], number>({ name: 'many', run: ({ input }) => input.length });
const range = defineTask<{ from: number; to: number }, number>({
  name: 'range',
  run: ({ input }) => input.to,
});
const page = defineTask<{ cursor: number | null }, { cursor: number | null }>({
  name: 'page',
  run: ({ input }) => input,
});
const child = defineFlow({ name: 'child', steps: (s) => s.step('n', number, { input: () => 1 }) });

const flow = defineFlow({
  name: 'types',
  input: z.object({ when: z.coerce.date(), n: z.number() }),
  steps: (s) => {
    const parsed = s.step('parsed', parse, { input: ({ run }) => ({ n: run.n }) });
    // A Date is a text by the time a step gets it.
    s.step('when', text, { input: ({ run }) => ({ text: run.when }) });
    s.step('deep', text, { input: () => ({ text: parsed.inner.deep }) });
    s.step('fallback', text, { input: ({ run }) => ({ text: optional(parsed.inner.deep, run.when) }) });
    // @ts-expect-error: items are texts, the task takes numbers.
    s.each('wrong', number, { over: parsed.list });
    s.each('ok', text, { over: parsed.list, input: ({ item }) => ({ text: item }) });
    s.each('sized', many, { over: parsed.list, size: 2 });
    s.each('bounds', range, { over: 1_000, size: 200 });
    const counted = s.each('counted', number, { over: 3 });
    s.loop('paged', page, { input: ({ cursor }) => ({ cursor }) });
    const signal = s.waitFor('signal', z.object({ at: z.coerce.date() }));
    const any = s.waitFor('any');
    s.step('undone', parse, {
      input: () => ({ n: 1 }),
      undo: { task: text, input: ({ result }) => ({ text: result.inner.deep }) },
    });
    const ran = s.flow('ran', child, { undo: number });
    return { counted, signal, any, ran, given: s.input.when };
  },
});

type Result = FlowResult<typeof flow>;
holds<Same<Result['counted'], (number | null)[]>>();
holds<Same<Result['signal'], { at: string }>>();
holds<Same<Result['any'], unknown>>();
holds<Same<Result['ran'], number>>();
holds<Same<Result['given'], string>>();
holds<Same<Awaited<ReturnType<RunHandle['ended']>>['state'], 'completed' | 'failed' | 'cancelled'>>();

const signalled = defineFlow({
  name: 'signalled',
  signals: { approval: z.object({ at: z.coerce.date(), by: z.string().default('ada') }), go: null },
  steps: (s) => {
    const approved = s.waitFor('approval', null, { timeoutMs: 1 });
    const again = s.waitFor('again', null, { signal: 'approval', after: [approved] });
    return { approved, again, go: s.waitFor('go'), by: approved.by };
  },
});
holds<Same<FlowResult<typeof signalled>['approved'], { at: string; by: string }>>();
holds<Same<FlowResult<typeof signalled>['again'], { at: string; by: string }>>();
holds<Same<FlowResult<typeof signalled>['go'], unknown>>();
holds<Same<FlowResult<typeof signalled>['by'], string>>();
holds<Same<keyof FlowSignals<typeof signalled>, 'approval' | 'go'>>();

// What nobody reads is only compiled.
export async function send(run: RunOf<typeof signalled>, untyped: RunHandle): Promise<void> {
  await run.signal('approval', { at: new Date() });
  await run.signal('go');
  await run.signal('go', { any: 'thing' });
  await untyped.signal('whatever', 5);
  const result: { by: string } = await run.result();
  await untyped.signal('whatever', result);
  untyped = run;
}
