import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/connect.ts';
import { withoutPassword } from '../../src/core/redact.ts';

const SHOWN: readonly (readonly [url: string, shown: string])[] = [
  ['postgres://ada:secret@h:5432/db?schema=x', 'postgres://ada:***@h:5432/db?schema=x'],
  ['postgres:ada:secret@h', 'postgres:***@h'],
  ['postgres://ada:sec@ret@h/db', 'postgres://ada:***@h/db'],
  ['postgres://ada:sec/ret@h/db', 'postgres://ada:***@h/db'],
  ['postgres://ada:secret', 'postgres://ada:***'],
  ['//ada:secret', '//ada:***'],
  ['ada:secret@h', '***@h'],
  ['redis://:secret@h:6379/1', 'redis://***@h:6379/1'],
  ['redis://secret@h', 'redis://***@h'],
  ['rediss:secret@h', 'rediss:***@h'],
  [
    'postgres://h/db?user=ada&password=secret&sslmode=require',
    'postgres://h/db?user=ada&password=***&sslmode=require',
  ],
  ['host=h password=secret dbname=db', 'host=h password=*** dbname=db'],
  ['postgres://h:5432/db', 'postgres://h:5432/db'],
  ['postgres://[::1]:5432/db', 'postgres://[::1]:5432/db'],
  ['postgres:///db', 'postgres:///db'],
];

test('a URL is shown without its password, whether it can be read or not', () => {
  for (const [url, shown] of SHOWN) assert.equal(withoutPassword(url), shown);
});

/** With a character that ends another part of the URL, a password reaches the host, the path, an option or the fragment. */
const MALFORMED: readonly string[] = ['', ':', '/', '?', '#', '12/', '12?', '12#', '@', '%'];

test('no error about a URL of any store shows its password', async () => {
  for (const scheme of [
    'postgres:',
    'postgres://',
    'redis:',
    'redis://',
    'valkeys://',
    'postgres//',
    'nothing://',
  ])
    for (const odd of MALFORMED)
      for (const user of ['ada:', ':', ''])
        for (const rest of ['@127.0.0.1:1/0', '@', ''])
          await refused(`${scheme}${user}${odd}hush${rest}`, isBare(user, odd, rest));
});

/** Nothing tells that it is a password: it may be a user, a host, or what follows a host or port. */
function isBare(user: string, odd: string, rest: string): boolean {
  if (rest === '') return user === '' || !['', ':', '%'].includes(odd);
  return user === '' && ['', '@', '%'].includes(odd);
}

async function refused(url: string, bare: boolean): Promise<void> {
  const error = await connect(url).then(
    () => assert.fail(url),
    (reason: Error & { readonly details: unknown }) => reason,
  );
  if (bare) return;
  assert.ok(
    !`${error.message} ${JSON.stringify(error.details)}`.includes('hush'),
    `${url}: ${error.message}`,
  );
}
