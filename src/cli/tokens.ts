import { readFileSync } from 'node:fs';
import { reasonOf } from '../core/legible.ts';
import type { HttpToken } from '../http/options.ts';
import { isRole, ROLES } from '../http/roles.ts';
import { UsageError } from './exit-codes.ts';
import { time } from './values.ts';

/**
 * Tokens of the HTTP API, as flags, in a file (one a line, `#` begins a comment) or in LONGSHORE_HTTP_TOKENS (separated by
 * spaces or commas): `ROLE:TOKEN`, `ROLE:TOKEN:NAME` or `ROLE:TOKEN:NAME:EXPIRES`. What is wrong is said without the token.
 */
export function tokensFrom(given: {
  readonly flags: readonly string[];
  readonly file: string | undefined;
  readonly variable: string | undefined;
}): HttpToken[] {
  const { flags, file, variable = '' } = given;
  return [
    ...flags.map((text) => tokenFrom(text, '--token')),
    ...linesOf(file).map(({ text, line }) => tokenFrom(text, `${file}, line ${line}`)),
    ...variable
      .split(/[\s,]+/)
      .filter((text) => text !== '')
      .map((text, index) => tokenFrom(text, `LONGSHORE_HTTP_TOKENS, token ${index + 1}`)),
  ];
}

function linesOf(file: string | undefined): { readonly text: string; readonly line: number }[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((text, index) => ({ text: text.replace(/(^|\s)#.*/, '').trim(), line: index + 1 }))
      .filter(({ text }) => text !== '');
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${reasonOf(error)}`);
  }
}

function tokenFrom(text: string, where: string): HttpToken {
  const [role, token, name, ...rest] = text.split(':');
  if (!isRole(role) || token === undefined)
    throw new UsageError(`${where} is not ROLE:TOKEN, where ROLE is ${ROLES.join(', ')}.`);
  return {
    role,
    token,
    name: name === undefined || name === '' ? role : name,
    ...(rest.length === 0 ? {} : { expiresAt: time(where)(rest.join(':')) }),
  };
}
