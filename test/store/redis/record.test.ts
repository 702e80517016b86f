import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isId, newId } from '../../../src/core/ids.ts';
import { idBytes, readId, readIds } from '../../../src/store/redis/record.ts';

/** An id of ours with some characters changed, the non-ASCII ones with the lower bits of a hexadecimal digit. */
const nearlyAnId = fc
  .array(fc.tuple(fc.nat(35), fc.constantFrom(...'0f78bcg-A\u0130\u0561\u00b0')), { maxLength: 2 })
  .map((changes) => {
    const characters = [...newId()];
    for (const [place, character] of changes) characters[place] = character;
    return characters.join('');
  });

test('an id takes 16 bytes exactly when it has the form of ours, and any comes back as it was', () => {
  fc.assert(
    fc.property(fc.oneof(nearlyAnId, fc.string({ minLength: 1 })), (id) => {
      fc.pre(!id.includes('\0') && id.isWellFormed());
      const bytes = idBytes(id);
      assert.equal(bytes.length === 16, isId(id));
      assert.equal(readId(bytes), id);
    }),
    { numRuns: 2_000 },
  );
});

test('ids in a row are read with and without longer ones among them', () => {
  const ids = [newId(), newId(), newId()];
  assert.deepEqual(readIds(Buffer.concat(ids.map(idBytes)), 3), ids);
  const mixed = [newId(), 'order-1', newId()];
  const parts = mixed.flatMap((id) => {
    const bytes = idBytes(id);
    return [Buffer.from([bytes.length, 0]), bytes];
  });
  assert.deepEqual(readIds(Buffer.concat(parts), 3), mixed);
});
