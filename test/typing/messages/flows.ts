import { z } from 'zod';
import { defineFlow, type Longshore } from '../../../src/index.ts';

/** Mistakes at signals. Below each is what the compiler underlines, and what it says. */
declare const longshore: Longshore;

const order = defineFlow({
  name: 'order',
  input: z.object({ amount: z.number() }),
  signals: { approval: z.object({ by: z.string(), at: z.coerce.date().optional() }), go: null },
  steps: (s) => {
    const approved = s.waitFor('approval');
    return s.waitFor('then', null, { signal: 'go', after: [approved] });
  },
});
const run = longshore.flows.handle(order, 'order-7');

run.signal('approval', { by: 5 });
//                       ^^ Type 'number' is not assignable to type 'string'.
run.signal('approval', { bye: 'ada' });
//                       ^^^ 'bye' does not exist in type '{ by: string; at?: unknown; }'.
run.signal('approval', {});
//                     ^^ Property 'by' is missing in type '{}' but required in type '{ by: string; at?: unknown; }'.
run.signal('approval');
//  ^^^^^^ Expected 2 arguments, but got 1.
run.signal('aproval', { by: 'ada' });
//         ^^^^^^^^^ Argument of type '"aproval"' is not assignable to parameter of type '"approval" | "go"'.
