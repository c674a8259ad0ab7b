/** Where Redis is, as STORE_URL says it. */
export interface RedisAddress {
  shape: 'single' | 'cluster' | 'sentinel';
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  nodes: { host: string; port: number }[];
  /** A logical database's number, of a single Redis. */
  database: number;
  /** The name under which the sentinels know the group. */
  group: string;
}

const pattern = new RegExp(
  [
    /^redis(?<tls>s?)(?:\+(?<shape>cluster|sentinel))?:\/\//.source,
    /(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?/.source,
    /(?<nodes>[^/@?#]+)(?:\/(?<path>[^/?#]*))?$/.source,
  ].join(''),
);

/** The errors never repeat the address: a password may stand in it. */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = pattern.exec(url)?.groups;
  if (!parts) {
    throw new Error(
      'the store URL reads redis://[user:password@]host:port[/database], ' +
        'redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/group ' +
        '(rediss for TLS)',
    );
  }
  const shape = (parts['shape'] ?? 'single') as RedisAddress['shape'];
  const nodes = (parts['nodes'] ?? '').split(',').map((node) => parseNode(node, shape));
  const path = parts['path'] ?? '';
  if (shape === 'single' && nodes.length > 1) {
    throw new Error('the store URL names several hosts: write redis+cluster or redis+sentinel');
  }
  if (shape === 'sentinel' ? path === '' : !/^\d*$/.test(path)) {
    throw new Error(
      shape === 'sentinel'
        ? 'the store URL of a sentinel ends in the name of the group, such as /mymaster'
        : 'the path of the store URL is the number of a database',
    );
  }
  if (shape === 'cluster' && Number(path) !== 0) {
    throw new Error('the store URL of a cluster ends with the hosts: a cluster has one database');
  }
  return {
    shape,
    tls: parts['tls'] === 's',
    username: decoded(parts['user']),
    password: decoded(parts['password']),
    nodes,
    database: shape === 'single' ? Number(path) : 0,
    group: shape === 'sentinel' ? path : '',
  };
}

function parseNode(text: string, shape: RedisAddress['shape']): { host: string; port: number } {
  const usualPort = shape === 'sentinel' ? 26379 : 6379;
  if (!URL.canParse(`redis://${text}`)) throw new Error('the store URL has a malformed host');
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usualPort) };
}

function decoded(text: string | undefined): string | undefined {
  return text ? decodeURIComponent(text) : undefined;
}
