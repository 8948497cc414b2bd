/**
 * Authentication mechanisms (SASL, RFC 4422), server and client sides, independent of the protocols that carry
 * them; and what is stored for a password.
 *
 * Imports nothing of this project. Used by SMTP, IMAP and ManageSieve, and by the store for the credentials.
 *
 * @module
 */
export {
  clientMechanism,
  offeredMechanisms,
  type SaslClientOptions,
  type SaslServerContext,
  serverMechanism,
} from "./choose.ts";
export {
  type CramMd5Credentials,
  decodeCredentials,
  deriveCredentials,
  type DerivedCredentials,
  encodeCredentials,
  type ScramCredentials,
} from "./credentials.ts";
export { cramMd5Wanted, wantCramMd5 } from "./cram_setting.ts";
export { bindingsFor, plusCancelled } from "./cancelled.ts";
export { decodeResponse } from "./response.ts";
export { preparePassword, prepareUsername } from "./prepare.ts";
export { scramClient, type ScramClientOptions, type ScramName, scramServer } from "./scram.ts";
export {
  type ClientMechanism,
  type MechanismName,
  mechanismNames,
  type SaslBackend,
  SaslError,
  type SaslOffers,
  type SaslPeer,
  type ServerMechanism,
  type ServerStep,
  tokenMechanismNames,
} from "./types.ts";
