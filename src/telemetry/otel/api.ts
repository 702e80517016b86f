/** The API of OpenTelemetry as it was loaded: an optional package. */
export type Api = typeof import('@opentelemetry/api');
