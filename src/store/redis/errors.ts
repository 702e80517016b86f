import { type ErrorCode, LongshoreError } from '../../core/errors.ts';
import { isError, memberOf, show } from '../../core/legible.ts';
import { missingOf, remedyFor } from './rights-text.ts';
import { placeOf, type RedisAddress } from './url.ts';

/**
 * What Redis, the client and the network say, as error codes with a remedy. An error reply starts with a word such as
 * WRONGPASS (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors); the client's own errors are
 * told by their class, those of the network by their code.
 */
export function toStoreError(error: unknown, address: RedisAddress): LongshoreError {
  if (error instanceof LongshoreError) return error;
  const reason = reasonOf(error);
  const where = `Redis at ${placeOf(address)}`;
  const [code, problem, remedy] =
    explainReply(reason, address) ?? explainNetwork(networkCode(error), address) ?? explainClient(error);
  const details = { host: address.host, port: address.port, database: address.database, user: address.user };
  return new LongshoreError(code, `${where} ${problem} (${reason}). ${remedy}`, { cause: error, details });
}

/** The server does not know the script any more: it was restarted, or somebody flushed the scripts. */
export function isNoScript(error: unknown): boolean {
  return replyWord(reasonOf(error)) === 'NOSCRIPT';
}

/** The server takes no writes, as a replica does. */
export function isReadOnly(error: unknown): boolean {
  return replyWord(reasonOf(error)) === 'READONLY';
}

/** The user lacks a right. */
export function isRefusal(error: unknown): boolean {
  return replyWord(reasonOf(error)) === 'NOPERM';
}

/** The server refuses to answer, but was there: it is not the connection that is broken. */
export function isReply(error: unknown): boolean {
  return replyWord(reasonOf(error)) !== null;
}

/** The client had no connection and sent nothing. */
export function isUnsent(error: unknown): boolean {
  const name = classOf(error);
  return name === 'ClientOfflineError' || name === 'ClientClosedError' || name === 'TimeoutError';
}

type Explanation = readonly [code: ErrorCode, problem: string, remedy: string];

function explainReply(reason: string, address: RedisAddress): Explanation | null {
  const { user, database } = address;
  const asUser = user === null ? 'the default user' : `user '${user}'`;
  switch (replyWord(reason)) {
    case 'WRONGPASS':
      return ['STORE_UNAVAILABLE', `refuses ${asUser}`, 'Check user name and password in the store URL.'];
    case 'NOAUTH':
      return [
        'STORE_UNAVAILABLE',
        'wants a password',
        'Put it into the store URL: redis://user:password@host.',
      ];
    case 'NOPERM': {
      const missing = missingOf(reason);
      return ['STORE_UNAVAILABLE', `does not allow ${asUser} ${missing.what}`, remedyFor(address, [missing])];
    }
    case 'READONLY':
    case 'NOREPLICAS':
      return [
        'STORE_UNAVAILABLE',
        'takes no writes now',
        'It may have become a replica in a failover, or have lost its replicas. Later calls connect anew; if it stays so, name the primary in the store URL, or promote this one.',
      ];
    case 'OOM':
      return [
        'STORE_FULL',
        'has no memory left, so nothing of the batch was written',
        'Raise maxmemory, or keep fewer finished jobs (longshore queues, retention); workers go on meanwhile.',
      ];
    case 'MISCONF':
      return [
        'STORE_READ_ONLY',
        'takes no writes since it could not save its data',
        "Look at the server's log and its disk.",
      ];
    case 'LOADING':
      return ['STORE_UNAVAILABLE', 'is still loading its data', 'Try again in a moment.'];
    case 'BUSY':
      return [
        'STORE_BUSY',
        'is busy with a script or function that takes long',
        'Try again; if it stays so, see SLOWLOG and end what somebody else runs there.',
      ];
    case 'TRYAGAIN':
    case 'CLUSTERDOWN':
    case 'MASTERDOWN':
      return [
        'STORE_UNAVAILABLE',
        'cannot serve this store now',
        'See CLUSTER INFO on the server; try again.',
      ];
    case 'MOVED':
    case 'ASK':
    case 'CROSSSLOT':
      return [
        'STORE_URL_INVALID',
        'is a node of a cluster',
        'Add cluster=true to the options of the store URL.',
      ];
    case 'NOTBUSY':
    case null:
      return null;
    default:
      break;
  }
  if (/DB index is out of range|invalid DB index/i.test(reason)) {
    return [
      'STORE_URL_INVALID',
      `has no database ${database}`,
      "Name one of the server's databases (setting `databases`, 16 by default; a cluster has 0 alone).",
    ];
  }
  if (/without any password configured/i.test(reason)) {
    return [
      'STORE_UNAVAILABLE',
      'has no password for the default user',
      'Take the password out of the store URL, or name the user it belongs to: redis://user:password@host.',
    ];
  }
  return ['STORE_FAILED', 'answered with an error', 'See the reason; it may be a defect of Longshore.'];
}

/** The first word of an error reply; null for what is no reply. */
function replyWord(reason: string): string | null {
  return /^-?([A-Z][A-Z0-9]{2,})(?: |$)/.exec(reason)?.[1] ?? null;
}

function explainNetwork(code: string | null, { host, port, tls }: RedisAddress): Explanation | null {
  switch (code) {
    case null:
      return null;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [
        'STORE_UNAVAILABLE',
        'cannot be found',
        `Check the host name '${host}' in the store URL, and the DNS.`,
      ];
    case 'ECONNREFUSED':
      return [
        'STORE_UNAVAILABLE',
        'refuses the connection',
        `Check that the server runs, and that it listens on port ${port} of that host.`,
      ];
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ['STORE_UNAVAILABLE', 'cannot be reached', 'Check the host, the network and its firewalls.'];
    case 'ECONNRESET':
    case 'EPIPE':
      return [
        'STORE_UNAVAILABLE',
        'closed the connection',
        `The next call connects again.${tls ? '' : ' A server that wants TLS does so as well: its URL starts with rediss:.'}`,
      ];
    default:
      return /CERT|SSL|TLS|EPROTO/.test(code)
        ? [
            'STORE_UNAVAILABLE',
            'cannot be trusted or does not speak TLS',
            'Check its certificate (NODE_EXTRA_CA_CERTS names a file of authorities), or use redis: for a server without TLS.',
          ]
        : ['STORE_UNAVAILABLE', 'cannot be reached', 'Check the host, the network and the server.'];
  }
}

function networkCode(error: unknown): string | null {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string') return code;
  const { cause } = (error ?? {}) as { cause?: unknown };
  return typeof cause === 'object' && cause !== null ? networkCode(cause) : null;
}

/** By name: the client's classes are loaded only where the client is. */
const CLIENT_ERRORS: Readonly<Record<string, Explanation>> = {
  ConnectionTimeoutError: [
    'STORE_UNAVAILABLE',
    'does not answer',
    'Check the host, the network and its firewalls; rediss: is for servers with TLS alone, redis: for those without.',
  ],
  SocketTimeoutError: [
    'STORE_UNAVAILABLE',
    'does not answer',
    'Check the server; what was asked may have happened.',
  ],
  SocketClosedUnexpectedlyError: [
    'STORE_UNAVAILABLE',
    'closed the connection',
    'The client connects again by itself. If it stays so, check that it is Redis that listens there, and whether it wants TLS (rediss:).',
  ],
  ClientOfflineError: [
    'STORE_UNAVAILABLE',
    'is not connected',
    'The client connects again by itself; try again.',
  ],
  ClientClosedError: ['STORE_UNAVAILABLE', 'is not connected', 'Try again.'],
  DisconnectsClientError: ['STORE_UNAVAILABLE', 'was disconnected', 'Try again.'],
  RootNodesUnavailableError: [
    'STORE_UNAVAILABLE',
    'has no node that answers',
    'Check the nodes of the cluster; for a server that is no node of one, leave cluster=true out of the store URL.',
  ],
  MaxCommandRedirectionsError: [
    'STORE_UNAVAILABLE',
    'sends the call from node to node',
    'See CLUSTER INFO; try again.',
  ],
  TimeoutError: ['STORE_UNAVAILABLE', 'takes no calls', 'Check the server and the network; try again.'],
  AbortError: [
    'STORE_UNAVAILABLE',
    'did not answer in time',
    'Check the server; what was asked may have happened.',
  ],
};

const UNKNOWN: Explanation = [
  'STORE_FAILED',
  'could not be used',
  'See the reason; it may be a defect of Longshore.',
];

function explainClient(error: unknown): Explanation {
  return CLIENT_ERRORS[classOf(error)] ?? UNKNOWN;
}

/** On one line. Happy Eyeballs gives an error a tried address, and no message of its own. */
function reasonOf(error: unknown): string {
  if (!isError(error)) return show(error);
  const inner = memberOf(error, 'errors');
  const first: unknown = Array.isArray(inner) ? inner[0] : undefined;
  const { message } = error.message === '' && isError(first) ? first : error;
  return message.replaceAll(/\s+/g, ' ').slice(0, 300) || classOf(error);
}

function classOf(error: unknown): string {
  return isError(error) ? error.constructor.name : '';
}
