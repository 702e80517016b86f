import { z } from 'zod';
import { declareTask, defineTask, type Longshore } from '../../../src/index.ts';

/** Mistakes at enqueue. Below each is what the compiler underlines, and what it says. */
declare const longshore: Longshore;

const thumbnail = defineTask({
  name: 'thumbnail',
  input: z.object({ path: z.string(), width: z.number().default(200) }),
  run: ({ input }) => ({ bytes: input.width }),
});
const mail = declareTask<{ to: string; at?: Date }, number>({ name: 'mail' });

longshore.enqueue(thumbnail, { path: 'a', width: '200' });
//                                        ^^^^^ Type 'string' is not assignable to type 'number'.
longshore.enqueue(thumbnail, { path: 'a', wdith: 200 });
//                                        ^^^^^ 'wdith' does not exist in type '{ path: string; width?: number | undefined; }'. Did you mean to write 'width'?
longshore.enqueue(thumbnail, { width: 200 });
//                           ^^^^^^^^^^^^^^ Property 'path' is missing in type '{ width: number; }'
longshore.enqueue(thumbnail);
//        ^^^^^^^ Expected 2-3 arguments, but got 1.
longshore.enqueue(thumbnail, { path: 'a' }, { delay: 5 });
//                                            ^^^^^ 'delay' does not exist in type 'EnqueueOptions'. Did you mean to write 'delayMs'?
longshore.enqueue(thumbnail, { path: 'a' }, { priority: 'urgent' });
//                                            ^^^^^^^^ Type '"urgent"' is not assignable to type 'number | "high" | "low" | "medium" | undefined'.
longshore.enqueue({ name: 'thumbnail' }, { path: 'a' });
//                ^^^^^^^^^^^^^^^^^^^^^ is not assignable to parameter of type 'string | AnyDeclaration'.
longshore.enqueue(mail, { to: 5 });
//                        ^^ Type 'number' is not assignable to type 'string'.
longshore.enqueue(mail, { to: 'ada', at: 'tomorrow' });
//                                   ^^ Type 'string' is not assignable to type 'Date'.
longshore.enqueue('thumbnail', { path: 'a' }, { retries: 5 });
//                                              ^^^^^^^ 'retries' does not exist in type 'EnqueueOptions'.

longshore.enqueueMany(thumbnail, [{ path: 'a' }, { path: 'b', width: '200' }]);
//                                                            ^^^^^ Type 'string' is not assignable to type 'number'.
longshore.enqueueMany(thumbnail, { path: 'a' });
//                                 ^^^^ 'path' does not exist in type 'readonly { path: string; width?: number | undefined; }[]'.
longshore.enqueueMany(thumbnail, [{ path: 'a' }], { delay: 5 });
//                                                  ^^^^^ 'delay' does not exist in type 'EnqueueOptions |
longshore.enqueueMany(thumbnail, [{ path: 'a' }], (input) => ({ delayMs: input.size }));
//                                                                             ^^^^ Property 'size' does not exist on type '{ path: string; width?: number | undefined; }'.

const job = await longshore.enqueue(mail, { to: 'ada' });
export const text: string = await job.result();
//           ^^^^ Type 'number' is not assignable to type 'string'.
longshore.jobs.get(mail, 7);
//                       ^ Argument of type 'number' is not assignable to parameter of type 'string'.
