import type { Json } from './payload.ts';

/**
 * The type of a `T` that was written as JSON and read back (payload.ts): a Date is a string, methods are gone. A Map and
 * its like, which the codec refuses, are `object`, so that code which uses one does not compile.
 */
export type Jsonified<T> = unknown extends T
  ? T
  : T extends void
    ? undefined
    : T extends Json
      ? T
      : T extends { toJSON(key: string): infer Written }
        ? Jsonified<Written>
        : T extends AnyFunction | symbol | bigint
          ? never
          : T extends readonly unknown[]
            ? JsonifiedArray<T>
            : T extends Container
              ? object
              : JsonifiedObject<T>;

/** An array that is no tuple is named by its element: mapped, a type that contains itself would have no end. */
type JsonifiedArray<T extends readonly unknown[]> = number extends T['length']
  ? T extends unknown[]
    ? Jsonified<T[number]>[]
    : readonly Jsonified<T[number]>[]
  : { [Index in keyof T]: Jsonified<T[Index]> };

type JsonifiedObject<T> = {
  [Key in keyof T as Key extends symbol ? never : Left<T[Key]> extends true ? never : Key]: Jsonified<
    Partial<Pick<T, Key>> extends Pick<T, Key> ? Exclude<T[Key], undefined> : T[Key]
  >;
};

/** Whether JSON leaves a property of this type out. One that is always undefined stays: it may tell a union's members apart. */
type Left<Value> = [Value] extends [undefined]
  ? false
  : 0 extends 1 & Value
    ? false
    : [Value] extends [AnyFunction | symbol | undefined]
      ? true
      : false;

type AnyFunction = (...args: never) => unknown;

type Container =
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<object, unknown>
  | WeakSet<object>
  | Promise<unknown>
  | ArrayBuffer
  | ArrayBufferView
  | RegExp;
