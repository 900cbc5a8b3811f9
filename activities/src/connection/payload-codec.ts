import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { HourglassError } from '@hourglass/core';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload: Message } = proto.temporal.api.common.v1;

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const IV_BYTES = 12;
const TAG_BYTES = 16;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

interface Key {
  id: string;
  bytes: Buffer;
}

/**
 * Keys of `HOURGLASS_CODEC_KEY`: base64 of 32 bytes each, separated by commas. The first encrypts, all decrypt, so that keys
 * can be replaced while old histories stay readable.
 * @throws CALL_INVALID
 */
export function codecKeys(text: string): Key[] {
  return text.split(',').map((part) => {
    const bytes = Buffer.from(part.trim(), 'base64');
    if (bytes.length !== 32)
      throw new HourglassError(
        'CALL_INVALID',
        `HOURGLASS_CODEC_KEY: expected base64 of 32 bytes, found ${bytes.length} bytes. Make a key: openssl rand -base64 32`,
      );
    return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 12), bytes };
  });
}

/**
 * Encrypts everything that goes into histories (AES-256-GCM, a random nonce each); search attributes stay readable. Without
 * keys nothing is encrypted, and what is encrypted is refused by name.
 */
export function aesCodec(keys: Key[]): PayloadCodec {
  const [current] = keys;
  return {
    encode: async (payloads) => (current ? payloads.map((payload) => encrypt(payload, current)) : payloads),
    // A promise of its own: what cannot be decrypted rejects, for whoever asks.
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

function encrypt(payload: Payload, key: Key): Payload {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv);
  const plain = Message.encode(payload).finish();
  const data = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { [METADATA_ENCODING_KEY]: encode(ENCODING), [KEY_ID]: encode(key.id) }, data };
}

function decrypt(payload: Payload, keys: Key[]): Payload {
  const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
  if (!encoding || decode(encoding) !== ENCODING) return payload;
  const id = decode(payload.metadata![KEY_ID]!);
  const key = keys.find((one) => one.id === id);
  if (!key) {
    const held = keys.length > 0 ? `holds ${keys.map((one) => one.id).join(', ')}` : 'is not set';
    throw new HourglassError(
      'CALL_INVALID',
      `A payload is encrypted with the key ${id}, and HOURGLASS_CODEC_KEY ${held} for the process ${process.pid} on ${hostname()}, which must read it. Workers and clients need the same.`,
    );
  }
  try {
    const data = Buffer.from(payload.data!);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, data.subarray(0, IV_BYTES));
    decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
    const plain = Buffer.concat([decipher.update(data.subarray(IV_BYTES, data.length - TAG_BYTES)), decipher.final()]);
    return Message.decode(plain);
  } catch (error) {
    throw new HourglassError(
      'CALL_INVALID',
      `A payload says that it is encrypted with the key ${id} of HOURGLASS_CODEC_KEY, but cannot be decrypted with it: it was changed or cut.`,
      { cause: error },
    );
  }
}
