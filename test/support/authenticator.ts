/** An authenticator without hardware, and with every fault that a test asks for. Answers as a browser's `toJSON` does. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What differs from the answer of an honest authenticator in an honest browser. */
export interface Fault {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  userPresent?: boolean;
  userVerified?: boolean;
  counter?: number;
  id?: string;
  userHandle?: string | null;
  signature?: Buffer;
  /** Instead of no attestation: what to put there, for what would be signed. */
  attestation?: (signed: Buffer) => { fmt: string; attStmt: Map<string, unknown> };
  curve?: 'P-256' | 'P-384';
}

const flag = { userPresent: 1, userVerified: 4, canBeBackedUp: 8, hasCredential: 64 };
const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

export type Authenticator = ReturnType<typeof createAuthenticator>;

/** One authenticator with one credential. `counts`: 0 for one that does not count, as those that are synced. */
export function createAuthenticator(
  { origin, rpId }: { origin: string; rpId: string },
  { counts = 0, isSynced = false }: { counts?: 0 | 1; isSynced?: boolean } = {},
) {
  const id = randomBytes(32).toString('base64url');
  const keys = {
    'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  };
  let userHandle = '';
  let counter = 0;

  function clientData(type: string, challenge: string, fault: Fault): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: fault.type ?? type,
        challenge: fault.challenge ?? challenge,
        origin: fault.origin ?? origin,
        crossOrigin: fault.crossOrigin ?? false,
      }),
    );
  }

  function authenticatorData(fault: Fault, credential: Buffer = Buffer.alloc(0)): Buffer {
    const flags =
      (fault.userPresent === false ? 0 : flag.userPresent) |
      (fault.userVerified === false ? 0 : flag.userVerified) |
      (isSynced ? flag.canBeBackedUp : 0) |
      (credential.length > 0 ? flag.hasCredential : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(fault.counter ?? counter);
    return Buffer.concat([sha256(fault.rpId ?? rpId), Buffer.from([flags]), count, credential]);
  }

  function credentialData(fault: Fault): Buffer {
    const curve = fault.curve ?? 'P-256';
    const { x = '', y = '' } = keys[curve].publicKey.export({ format: 'jwk' });
    const [algorithm, curveId] = curve === 'P-256' ? [-7, 1] : [-35, 2];
    const coordinates = [x, y].map((text) => new Uint8Array(Buffer.from(text, 'base64url')));
    const cose = new Map<number, number | Uint8Array>([
      ...([[1, 2], [3, algorithm], [-1, curveId]] as [number, number][]), // prettier-ignore
      ...([[-2, coordinates[0]!], [-3, coordinates[1]!]] as [number, Uint8Array][]), // prettier-ignore
    ]);
    const idBytes = Buffer.from(fault.id ?? id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(idBytes.length);
    return Buffer.concat([Buffer.alloc(16), length, idBytes, isoCBOR.encode(cose)]);
  }

  return {
    id,
    create(options: PublicKeyCredentialCreationOptionsJSON, fault: Fault = {}): string {
      userHandle = options.user.id;
      const data = clientData('webauthn.create', options.challenge, fault);
      const authData = authenticatorData(fault, credentialData(fault));
      const { fmt, attStmt } = fault.attestation?.(Buffer.concat([authData, sha256(data)])) ?? {
        ...{ fmt: 'none', attStmt: new Map<string, unknown>() },
      };
      const attestation = new Map<string, unknown>([
        ...Object.entries({ fmt, attStmt, authData: new Uint8Array(authData) }),
      ]);
      return credentialJson(fault.id ?? id, {
        clientDataJSON: data.toString('base64url'),
        attestationObject: Buffer.from(isoCBOR.encode(attestation as Encodable)).toString(
          'base64url',
        ),
        transports: ['internal', 'hybrid', '<script>'],
      });
    },
    get({ challenge }: PublicKeyCredentialRequestOptionsJSON, fault: Fault = {}): string {
      counter += counts;
      const data = clientData('webauthn.get', challenge, fault);
      const authData = authenticatorData(fault);
      const signed = Buffer.concat([authData, sha256(data)]);
      const signature = fault.signature ?? sign('sha256', signed, keys['P-256'].privateKey);
      return credentialJson(fault.id ?? id, {
        clientDataJSON: data.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: fault.userHandle === undefined ? userHandle : fault.userHandle,
      });
    },
  };
}

type Encodable = Parameters<typeof isoCBOR.encode>[0];

function credentialJson(id: string, response: object): string {
  return JSON.stringify({
    ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
    ...{ authenticatorAttachment: 'platform', response },
  });
}
