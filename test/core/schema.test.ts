import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type } from 'arktype';
import * as valibot from 'valibot';
import { z } from 'zod';
import { isSchema, type Schema, validate } from '../../src/core/schema.ts';

const WHAT = "the input of task 'thumbnail'";

const SCHEMAS: Readonly<Record<string, Schema<unknown, unknown>>> = {
  zod: z.object({ path: z.string(), width: z.number().int().positive() }),
  valibot: valibot.object({
    path: valibot.string(),
    width: valibot.pipe(valibot.number(), valibot.minValue(1)),
  }),
  arktype: type({ path: 'string', width: 'number > 0' }),
};

const ASYNC_SCHEMAS: Readonly<Record<string, Schema<unknown, unknown>>> = {
  zod: z.object({
    path: z.string(),
    width: z.number().refine(async (width) => width > 0, 'must be positive'),
  }),
  valibot: valibot.objectAsync({
    path: valibot.string(),
    width: valibot.pipeAsync(
      valibot.number(),
      valibot.checkAsync(async (width) => width > 0, 'must be positive'),
    ),
  }),
};

for (const [vendor, schema] of Object.entries(SCHEMAS)) {
  test(`a ${vendor} schema is known as one, and accepts at once`, () => {
    assert.ok(isSchema(schema));
    assert.deepEqual(validate(schema, { path: 'a.png', width: 200 }, WHAT), { path: 'a.png', width: 200 });
  });

  test(`a ${vendor} schema refuses at once, with field, value and expectation`, () => {
    assert.throws(
      () => validate(schema, { path: 7, width: -3 }, WHAT),
      ({ code, message, details }) => {
        assert.equal(code, 'INPUT_INVALID');
        assert.match(message, /^The input of task 'thumbnail' does not match its schema: /);
        assert.match(message, /path: .*string.* \(got 7\)/i);
        assert.match(message, /width: .+ \(got -3\)/);
        assert.deepEqual(
          details.issues.map(({ field, got }: { field: string; got: string }) => [field, got]),
          [
            ['path', '7'],
            ['width', '-3'],
          ],
        );
        return true;
      },
    );
  });

  test(`a ${vendor} schema refuses a whole input that is of another kind`, () => {
    for (const value of [undefined, null, 'text'])
      assert.throws(() => validate(schema, value, WHAT), {
        code: 'INPUT_INVALID',
        message: /schema: input: /,
      });
  });
}

for (const [vendor, schema] of Object.entries(ASYNC_SCHEMAS)) {
  test(`an asynchronous ${vendor} schema accepts and refuses by promise`, async () => {
    const accepted = validate(schema, { path: 'a', width: 1 }, WHAT);
    assert.ok(accepted instanceof Promise);
    assert.deepEqual(await accepted, { path: 'a', width: 1 });
    await assert.rejects(async () => validate(schema, { path: 'a', width: -1 }, WHAT), {
      code: 'INPUT_INVALID',
      message: /width: must be positive \(got -1\)/,
    });
  });
}

test("the schema's output is what the handler gets", () => {
  assert.equal(
    validate(z.string().transform((text) => text.length) as Schema<unknown, number>, 'four', WHAT),
    4,
  );
  assert.deepEqual(validate(z.object({ size: z.number().default(3) }), {}, WHAT), { size: 3 });
});

test('a field deep in the input is named by its path', () => {
  const schema = z.object({ list: z.array(z.object({ id: z.number() })) });
  assert.throws(() => validate(schema, { list: [{ id: 1 }, { id: 'x' }] }, WHAT), {
    message: /list\.1\.id: .* \(got "x"\)/,
  });
});

test('what is no schema is not taken for one', () => {
  for (const value of [
    undefined,
    null,
    {},
    () => 1,
    'zod',
    { '~standard': {} },
    { '~standard': { version: 2 } },
  ])
    assert.equal(isSchema(value), false);
});
