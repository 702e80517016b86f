import type { Draft } from './draft.ts';
import { partText } from './names.ts';
import { firstOutside } from './ranges.ts';
import { type ItemsState, isLive, type StepState } from './run.ts';

/** Asks the jobs that were enqueued to stop, a page with each decision (`askPages`). */
export function askItemsToStop(items: ItemsState | undefined): void {
  if (items !== undefined && items.live > 0) items.asked = 0;
}

/** Stops of one decision: a fan-out of a million items takes no more room than one of a thousand. */
const STOPS_MAX = 1_000;

export function isAsking({ items }: StepState): boolean {
  return items?.asked !== undefined;
}

/** Goes on with asking where the decision before stopped. */
export function askPages(draft: Draft): void {
  for (const { name } of draft.flow.steps) {
    const state = draft.run.steps[name];
    const items = state?.items;
    if (state === undefined || items?.asked === undefined) continue;
    if (!isLive(state) || items.live === 0) delete items.asked;
    else askPage(draft, name, state, STOPS_MAX);
    if (items.asked !== undefined) draft.more = true;
  }
}

export function askPage(draft: Draft, step: string, { gen, items }: StepState, stopsMax: number): void {
  if (items?.asked === undefined) return;
  const { stops } = draft.orders;
  let index = firstOutside(items.todo, items.asked);
  for (; index < items.of && stops.length < stopsMax; index = firstOutside(items.todo, index + 1))
    stops.push({ kind: 'job', as: partText('i', step, gen, index), step, gen });
  if (index < items.of) items.asked = index;
  else delete items.asked;
}
