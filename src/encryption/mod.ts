/**
 * Encrypting incoming mail to its reader's own key, OpenPGP or S/MIME, before it is stored.
 *
 * May import platform. Used by delivery.
 *
 * @module
 */
export { type EncryptionKey, KeyError, type KeyInfo, readEncryptionKey } from "./keys.ts";
export { encrypted, isEncryptedType, type PlainMessage } from "./message.ts";
