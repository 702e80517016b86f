/** The door to `longshore/operaton`, as longshore.ts is to the package's main entry. */
export * from '../../src/connectors/operaton/index.ts';
