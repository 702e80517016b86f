import { spread } from '../spread.ts';

/** Of several documents of one form: the same form with the median of each number. What is no number is that of the first. */
export function medianOf(documents: readonly unknown[]): unknown {
  const [first] = documents;
  if (typeof first === 'number') return spread(documents as number[]).median;
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      medianOf(documents.map((document) => (document as Record<string, unknown>)[name])),
    ]),
  );
}
