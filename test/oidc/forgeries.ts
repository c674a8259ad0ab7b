/** The ways in which a JWT can look right and not be (RFC 8725 section 2), made from one that is. */
import {
  type KeyObject,
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
} from 'node:crypto';
import type { JWK } from 'jose';

export interface Genuine {
  /** With the `alg` that the key is for. */
  header: Record<string, unknown> & { alg: string };
  payload: Record<string, unknown>;
  key: JWK;
}

type Header = Record<string, unknown>;

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const asKey = (key: JWK): KeyObject => createPrivateKey({ key: key, format: 'jwk' });

/** Whatever the header says, signed with this key in the way that the algorithm is done. */
export function signWith(header: Header, payload: object, key: KeyObject, alg: string): string {
  const input = `${encode(header)}.${encode(payload)}`;
  const how = alg.startsWith('ES')
    ? { dsaEncoding: 'ieee-p1363' as const }
    : alg.startsWith('PS')
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
      : {};
  const signature = signBytes('sha256', Buffer.from(input), { key, ...how });
  return `${input}.${signature.toString('base64url')}`;
}

export function signGenuine({ header, payload, key }: Genuine): string {
  return signWith(header, payload, asKey(key), header.alg);
}

/** @param elsewhere an address that would be asked for a key, were anybody to believe the header. */
export function forgeries(genuine: Genuine, elsewhere: string): [name: string, jwt: string][] {
  const { header, payload, key } = genuine;
  const [head = '', body = '', signature = ''] = signGenuine(genuine).split('.');
  const others = otherKey(header.alg);
  const byOther = (more: Header): string =>
    signWith({ ...header, ...more }, payload, others.privateKey, header.alg);
  const byOwner = (more: Header): string =>
    signWith({ ...header, ...more }, payload, asKey(key), header.alg);
  const flipped = signature.startsWith('A') ? 'B' : 'A';
  return [
    ...['none', 'None', 'NONE', 'nOnE', ''].map((alg): [string, string] => [
      `alg "${alg}"`,
      `${encode({ ...header, alg })}.${body}.`,
    ]),
    ['alg none over a signature', `${encode({ ...header, alg: 'none' })}.${body}.${signature}`],
    ['no alg', `${encode({ ...header, alg: undefined })}.${body}.${signature}`],
    ['an alg that is a list', `${encode({ ...header, alg: [header.alg] })}.${body}.${signature}`],
    ...macs(genuine),
    ['no signature', `${head}.${body}.`],
    ['no third part', `${head}.${body}`],
    ['a signature of zeroes', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    ['a changed signature', `${head}.${body}.${flipped}${signature.slice(1)}`],
    ['a changed payload', `${head}.${encode({ ...payload, changed: true })}.${signature}`],
    [
      'another algorithm of the family',
      `${encode({ ...header, alg: `${header.alg.slice(0, 2)}384` })}.${body}.${signature}`,
    ],
    ['another key', byOther({})],
    ['another key by jku', byOther({ jku: elsewhere })],
    ['another key by x5u', byOther({ x5u: elsewhere })],
    ['another key by jwk', byOther({ jwk: others.publicKey.export({ format: 'jwk' }) })],
    ['another key by x5c', byOther({ x5c: ['MIIB'] })],
    ['another key of a path', byOther({ kid: '../../../../dev/null' })],
    ['another key of a query', byOther({ kid: "x' OR '1'='1" })],
    ['an extension that must be understood', byOwner({ crit: ['exp-of-mine'], 'exp-of-mine': 1 })],
    ['an empty list of extensions', byOwner({ crit: [] })],
    ['a payload that is not encoded', byOwner({ crit: ['b64'], b64: false })],
    ['the shape of an encrypted one', `${head}.${body}.${signature}.${body}.${signature}`],
  ];
}

/** A MAC whose key is what everybody knows of the public key. */
function macs({ header, payload, key }: Genuine): [string, string][] {
  const publicKey = createPublicKey(asKey(key));
  const jwk = publicKey.export({ format: 'jwk' });
  const known: Record<string, string | Buffer> = {
    'the PEM': publicKey.export({ type: 'spki', format: 'pem' }),
    'the PEM without its last line end': publicKey
      .export({ type: 'spki', format: 'pem' })
      .toString()
      .trimEnd(),
    'the DER': publicKey.export({ type: 'spki', format: 'der' }),
    'the JWK': JSON.stringify(jwk),
    'the number': Buffer.from(String(jwk['n'] ?? jwk['x']), 'base64url'),
    nothing: '',
  };
  return Object.entries(known).flatMap(([name, secret]) =>
    (['256', '512'] as const).map((bits): [string, string] => {
      const input = `${encode({ ...header, alg: `HS${bits}` })}.${encode(payload)}`;
      const mac = createHmac(`sha${bits}`, secret).update(input).digest('base64url');
      return [`HS${bits} with ${name}`, `${input}.${mac}`];
    }),
  );
}

function otherKey(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  return alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}
