// Lines that lie where others could read or write them: the shared memory of a pod is open to the other containers in it. Each is encrypted and authenticated with a key made
// of the container's id: 32 random bytes of the runtime's, which the other containers do not see unless they share its processes, and the environment with them.
import type nodeCrypto from 'node:crypto';

export interface Seal {
  /** `place`: where the line stands; it opens nowhere else. Base64. */
  readonly close: (line: string, place: string) => string;
  /** Throws a plain Error when this seal has not closed it for that place. */
  readonly open: (sealed: string, place: string) => string;
}

export type Cryptography = Pick<
  typeof nodeCrypto,
  'createCipheriv' | 'createDecipheriv' | 'createHash' | 'randomBytes'
>;

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** `crypto`: node:crypto, which takes 12 ms to load: who needs no seal goes without. */
export function sealOf(containerId: string, crypto: Cryptography): Seal {
  const { createCipheriv, createDecipheriv, createHash, randomBytes } = crypto;
  const key = createHash('sha256').update(`hotexec\0${containerId}`).digest();
  return {
    close: (line, place) => {
      const nonce = randomBytes(nonceBytes);
      const closing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(place));
      const content = Buffer.concat([closing.update(line, 'utf8'), closing.final()]);
      return Buffer.concat([nonce, closing.getAuthTag(), content]).toString('base64');
    },
    open: (sealed, place) => {
      const bytes = Buffer.from(sealed, 'base64');
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      opening.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const content = opening.update(bytes.subarray(nonceBytes + tagBytes));
      return Buffer.concat([content, opening.final()]).toString('utf8');
    },
  };
}
