/**
 * Encrypts incoming mail to its reader's own key, OpenPGP or S/MIME, before it is stored; checks signatures of
 * messages.
 *
 * May import platform and mail. Used by delivery, the webmail and JMAP.
 *
 * @module
 */
export { type EncryptionKey, KeyError, type KeyInfo, readEncryptionKey } from "./keys.ts";
export { encrypted, isEncryptedType, type PlainMessage } from "./message.ts";
export { checkPgp } from "./signatures/pgp.ts";
export {
  checkSmimeMessage,
  maxSignature,
  maxSigned,
  senderOf,
  smimeParts,
} from "./signatures/of_message.ts";
export { checkSmime } from "./signatures/smime.ts";
export { type CheckedSignature, unknownSignature } from "./signatures/types.ts";
