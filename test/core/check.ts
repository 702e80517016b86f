import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import type { LongshoreError } from '../../src/core/errors.ts';

/** Runs of a property: enough to meet the edges, few enough that all of core takes seconds. Seeded: a failure repeats. */
const PARAMETERS = { seed: 20_260_101, numRuns: 200 };

/** Checks that `predicate` throws for none of the values drawn. */
export const holds: Holds = (...property: unknown[]) => {
  fc.assert((fc.property as unknown as Property)(...property), PARAMETERS);
};

type Property = (...property: unknown[]) => fc.IProperty<unknown>;

interface Holds {
  <A>(a: Arbitrary<A>, predicate: (a: A) => void): void;
  <A, B>(a: Arbitrary<A>, b: Arbitrary<B>, predicate: (a: A, b: B) => void): void;
  <A, B, C>(a: Arbitrary<A>, b: Arbitrary<B>, c: Arbitrary<C>, predicate: (a: A, b: B, c: C) => void): void;
  <A, B, C, D>(
    a: Arbitrary<A>,
    b: Arbitrary<B>,
    c: Arbitrary<C>,
    d: Arbitrary<D>,
    predicate: (a: A, b: B, c: C, d: D) => void,
  ): void;
}

/** The LongshoreError that `call` throws. */
export function thrownBy(call: () => unknown): LongshoreError {
  try {
    call();
  } catch (error) {
    return error as LongshoreError;
  }
  return assert.fail('nothing was thrown');
}
