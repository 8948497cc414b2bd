/**
 * Encrypting incoming mail to its reader's own key, OpenPGP or S/MIME, before it is stored; checking signatures
 * of messages.
 *
 * May import platform. Used by delivery and the webmail.
 *
 * @module
 */
export { type EncryptionKey, KeyError, type KeyInfo, readEncryptionKey } from "./keys.ts";
export { encrypted, isEncryptedType, type PlainMessage } from "./message.ts";
export { checkPgp } from "./signatures/pgp.ts";
export { checkSmime } from "./signatures/smime.ts";
export type { CheckedSignature } from "./signatures/types.ts";
