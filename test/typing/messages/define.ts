import { z } from 'zod';
import { declareTask, defineTask, implementTask, type Longshore } from '../../../src/index.ts';

/** Mistakes in definitions. Below each is what the compiler underlines, and what it says. */
declare const longshore: Longshore;

const input = z.object({ path: z.string() });

defineTask({ name: 'a', input, run: 'thumbnail.ts' });
//                             ^^^ Type 'string' is not assignable to type 'Handler<{ path: string; }, unknown>'.
defineTask({ name: 'a', input, run: ({ input }) => input.width });
//                                                       ^^^^^ Property 'width' does not exist on type '{ path: string; }'.
defineTask({ name: 'a', input, run: ({ inputs }) => inputs });
//                                     ^^^^^^ Property 'inputs' does not exist on type 'JobContext<{ path: string; }>'.
defineTask({ name: 'a', input });
//         ^^^^^^^^^^^^^^^^^^^^ Property 'run' is missing
defineTask({ input, run: () => 1 });
//         ^^^^^^^^^^^^^^^^^^^^^^^ Property 'name' is missing
defineTask({ name: 'a', input, retries: 3, run: () => 1 });
//                             ^^^^^^^ 'retries' does not exist in type 'TaskOptions<"a",
defineTask({ name: 'a', input, attempts: '3', run: () => 1 });
//                             ^^^^^^^^ Type 'string' is not assignable to type 'number'.
defineTask({ name: 'a', input, backoff: { type: 'cubic', delayMs: 1 }, run: () => 1 });
//                                        ^^^^ Type '"cubic"' is not assignable to type '"exponential" | "fibonacci" | "fixed" | "linear"'.
defineTask({ name: 'a', input, key: ({ id }) => id, run: () => 1 });
//                                     ^^ Property 'id' does not exist on type '{ path: string; }'.
defineTask({ name: 'a', input: { path: 'string' }, run: () => 1 });
//                               ^^^^ 'path' does not exist in type 'Schema<
defineTask<{ path: string }, number>({ name: 'a', run: ({ input }) => input.path });
//                                                                    ^^^^^^^^^^ Type 'string' is not assignable to type 'number | Promise<number>'.
defineTask<{ path: string }, number>({ name: 'a', run: ({ input }) => input.width });
//                                                                          ^^^^^ Property 'width' does not exist on type '{ path: string; }'.
defineTask<{ at: Date }, number>({ name: 'a', run: ({ input }) => input.at.getTime() });
//                                                                         ^^^^^^^ Property 'getTime' does not exist on type 'string'.

const thumbnail = declareTask<{ path: string }, number>({ name: 'thumbnail' });

declareTask({ name: 'a', retries: 3 });
//                       ^^^^^^^ 'retries' does not exist in type 'DeclarationOptions<"a", unknown>'.
declareTask({ name: 'a', run: () => 1 });
//                       ^^^ 'run' does not exist in type 'DeclarationOptions<"a", unknown>'.
implementTask(thumbnail, ({ input }) => input.path);
//                                      ^^^^^^^^^^ Type 'string' is not assignable to type 'number | Promise<number>'.
implementTask(thumbnail, () => 1, { timeout: 5 });
//                                  ^^^^^^^ 'timeout' does not exist in type 'HandlerOptions'. Did you mean to write 'timeoutMs'?
longshore.worker({ tasks: [thumbnail] });
//                         ^^^^^^^^^ is missing the following properties from type 'Task<string, any, any, any>'
