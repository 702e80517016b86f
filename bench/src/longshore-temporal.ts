/** The door to `longshore/temporal`, beside the one to the rest: it needs Temporal's SDK. */
export * from '../../src/connectors/temporal/index.ts';
