import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { type Env, EnvError, type SealingKey } from '../config/env.js';

const sealedColumns = ['certificate', 'previous_certificate', 'token_secret', 'client_secret'] as const;

/** The columns of an app that hold secrets. */
export interface SealedSecrets {
  readonly certificate: string;
  readonly previous_certificate: string | null;
  readonly token_secret: string;
  readonly client_secret: string | null;
}

/** Where a secret is stored: moved to another place, it does not open. */
interface SealedPlace {
  readonly appId: string;
  readonly column: keyof SealedSecrets;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const prefix = 'sealed1';

/**
 * Seals the secrets of apps before they are written, and opens them when they are read. A sealed value is
 * `sealed1.KEY_ID.BASE64URL` of nonce, tag and ciphertext in AES-256-GCM; a value in any other form was never sealed,
 * as no secret contains a dot.
 */
export class Seal {
  /** The key that seals new values; null: nothing is sealed. */
  private readonly current: NamedKey | null;
  private readonly keys: ReadonlyMap<string, NamedKey>;

  static of(env: Pick<Env, 'sealingKeys' | 'sealingKeysOfFile'>): Seal {
    return new Seal(env.sealingKeys.length > 0 ? env.sealingKeys : env.sealingKeysOfFile);
  }

  /** @param keys the first one seals, all of them open; null as the first one: seal nothing */
  constructor(keys: readonly (SealingKey | null)[]) {
    const [first = null] = keys;
    this.current = first === null ? null : named(first);
    this.keys = new Map(keys.filter((key) => key !== null).map((key) => [idOf(key), named(key)]));
  }

  /** Whether new secrets are sealed. */
  get seals(): boolean {
    return this.current !== null;
  }

  private seal(text: string, place: SealedPlace): string {
    if (this.current === null || text === '') return text;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.current.key, nonce).setAAD(associated(place));
    const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
    const bytes = Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    return `${prefix}.${this.current.id}.${bytes.toString('base64url')}`;
  }

  private open(text: string, place: SealedPlace): string {
    const [, id, body] = sealedForm.exec(text) ?? [];
    if (id === undefined || body === undefined) return text;
    const key = this.keys.get(id)?.key;
    if (key === undefined)
      throw new UnopenedSecret(place, `was sealed with the key ${id}, which is not among those set`);
    const bytes = Buffer.from(body, 'base64url');
    try {
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(associated(place))
        .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString();
    } catch {
      throw new UnopenedSecret(place, 'was changed, or moved here from elsewhere, since it was sealed');
    }
  }

  /** Opens the secrets of a row. @throws UnopenedSecret */
  openAll({ id: appId, ...row }: SealedSecrets & { readonly id: string }): SealedSecrets {
    return mapSecrets(row, (text, column) => this.open(text, { appId, column }));
  }

  /** Seals the secrets of a row. */
  sealAll({ id: appId, ...row }: SealedSecrets & { readonly id: string }): SealedSecrets {
    return mapSecrets(row, (text, column) => this.seal(text, { appId, column }));
  }

  /** Whether the secrets of a row are sealed as they would be today. */
  isCurrent(row: SealedSecrets): boolean {
    const id = this.current?.id ?? null;
    return sealedColumns.every((column) => {
      const text = row[column] ?? '';
      return text === '' || (sealedForm.exec(text)?.[1] ?? null) === id;
    });
  }
}

function mapSecrets(row: SealedSecrets, change: (text: string, column: keyof SealedSecrets) => string): SealedSecrets {
  const changeOptional = (column: 'previous_certificate' | 'client_secret'): string | null => {
    const text = row[column];
    return text === null ? null : change(text, column);
  };
  return {
    certificate: change(row.certificate, 'certificate'),
    previous_certificate: changeOptional('previous_certificate'),
    token_secret: change(row.token_secret, 'token_secret'),
    client_secret: changeOptional('client_secret'),
  };
}

/** A secret of an app cannot be opened with the keys of this process. */
export class UnopenedSecret extends EnvError {
  constructor({ appId, column }: SealedPlace, what: string) {
    super([`SEALING_KEY does not open the ${column} of the app ${appId}: it ${what}`]);
    this.name = 'UnopenedSecret';
  }
}

interface NamedKey {
  readonly id: string;
  readonly key: SealingKey;
}

const sealedForm = /^sealed1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/;

function named(key: SealingKey): NamedKey {
  return { id: idOf(key), key };
}

/** Reveals nothing about the key: half of a hash of it that is used for nothing else. */
function idOf(key: SealingKey): string {
  return createHash('sha256').update('rollcall sealing key id\n').update(key).digest('hex').slice(0, 8);
}

function associated({ appId, column }: SealedPlace): Buffer {
  return Buffer.from(`rollcall\n${appId}\n${column}`);
}
