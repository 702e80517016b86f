/** What a handler may throw so that whoever looks at it is hurt. */
import { runInNewContext } from 'node:vm';

const complain = (): never => {
  throw new Error('do not touch');
};

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function withGetters(...names: string[]): Error {
  const error = new Error('plain');
  for (const name of names) Object.defineProperty(error, name, { get: complain, enumerable: true });
  return error;
}

function withMembers(members: object): Error {
  const error = new Error('plain');
  for (const [key, value] of Object.entries(members))
    Object.defineProperty(error, key, { value, enumerable: true });
  return error;
}

function circle(): Error {
  const [one, other] = [new Error('one'), new Error('other')];
  one.cause = other;
  other.cause = one;
  Object.assign(one, { self: one, errors: [one, other] });
  return one;
}

const TRAPS = ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'];
const nowhere = Object.create(null) as object;
const INTENT = Symbol.for('longshore.intent');

/** Each call makes a new one. */
export const HOSTILE: Readonly<Record<string, () => unknown>> = {
  'a revoked proxy': () => revoked({}),
  'a revoked proxy of a function': () => revoked(() => undefined),
  'a revoked proxy of an error': () => revoked(new Error('gone')),
  'a proxy whose traps throw': () =>
    new Proxy(new Error('trapped'), Object.fromEntries(TRAPS.map((trap) => [trap, complain]))),
  'an error whose members throw': () => withGetters('name', 'message', 'stack', 'cause', 'code', 'other'),
  'an error with objects for members': () =>
    withMembers({ name: nowhere, message: nowhere, stack: nowhere, code: nowhere }),
  'an error with symbols for members': () => withMembers({ name: Symbol('n'), message: Symbol('m') }),
  'an error with bigints for members': () => withMembers({ name: 1n, message: 2n, stack: 3n }),
  'an error without a prototype': () => Object.setPrototypeOf(new Error('bare'), null),
  'an error of a revoked cause': () => new Error('outer', { cause: revoked({}) }),
  'an error of a cause without a prototype': () => new Error('outer', { cause: nowhere }),
  'errors that cause each other': circle,
  'a frozen error': () => Object.freeze(new TypeError('frozen')),
  'an error of another realm': () => runInNewContext("new RangeError('elsewhere')"),
  'an error with a huge stack, message and name': () =>
    withMembers({ stack: 's'.repeat(20_000_000), message: 'm'.repeat(5_000_000), name: 'n'.repeat(100_000) }),
  'half a surrogate pair at the limit of a message': () => new Error(`${'m'.repeat(3_999)}\u{1F4A5}`),
  'an object whose constructor is a symbol': () => ({ constructor: { name: Symbol('c') } }),
  'an object that throws as text': () => ({ toString: complain, [Symbol.toPrimitive]: complain }),
  'a look-alike': () => ({ message: 'alike', name: nowhere, stack: 5, cause: revoked({}) }),
  'a snooze without a time': () => Object.assign(new Error('later'), { [INTENT]: 'snooze' }),
  'a retry after nonsense': () =>
    Object.assign(new Error('soon'), { [INTENT]: 'retryAfter', retryAfterMs: 'soon' }),
};
