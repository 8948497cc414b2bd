/**
 * What SASL mechanisms (RFC 4422) and the protocols that carry them agree on.
 *
 * @module
 */

/**
 * Why an exchange ended without login.
 * - `malformed`: the peer broke the mechanism's syntax.
 * - `credentials`: wrong user name or password, or one that doesn't exist.
 * - `channelBinding`: the peer's TLS connection isn't the one we have.
 * - `authorization`: asked to act as another user.
 * - `unavailable`: the mechanism can't be used here.
 * - `appPassword`: the password is right, but programs need one of their own.
 * - `temporary`: the external service that checks it can't be reached just now.
 */
export class SaslError extends Error {
  readonly reason:
    | "malformed"
    | "credentials"
    | "channelBinding"
    | "authorization"
    | "unavailable"
    | "appPassword"
    | "temporary";
  constructor(reason: SaslError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SaslError";
    this.reason = reason;
  }
}

/** Names of the mechanisms with a user's password or key, most secure first. */
export const mechanismNames = [
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-1",
  "CRAM-MD5",
  "PLAIN",
  "LOGIN",
  "EXTERNAL",
] as const;

/** Those with a provider's token, for servers only. */
export const tokenMechanismNames = ["OAUTHBEARER", "XOAUTH2"] as const;
export type MechanismName = (typeof mechanismNames)[number] | (typeof tokenMechanismNames)[number];

/** RFC 5802 §3: what a server keeps for a SCRAM mechanism. */
export interface ScramCredentials {
  salt: Uint8Array;
  iterations: number;
  storedKey: Uint8Array;
  serverKey: Uint8Array;
  /** Which password it is, as reported by the server's last step. */
  credential?: string;
  /** Belongs to a name without an account: no password matches. */
  absent?: boolean;
  /** Called when somebody has logged in with it. */
  used?: () => void;
  /** Further passwords of the same user, with the same salt and iterations. */
  others?: readonly ScramCredentials[];
}

/** RFC 2195 §3: MD5 states (16 bytes) after the key, padded and masked for the inner and outer hash. */
export interface CramMd5Credentials {
  inner: Uint8Array;
  outer: Uint8Array;
  /** Which password it is, as reported by the server's last step. */
  credential?: string;
  /** Called when somebody has logged in with it. */
  used?: () => void;
  /** Any digest matches: for a test server that accepts any password. */
  anyDigest?: true;
  /** Further passwords of the same user. */
  others?: readonly CramMd5Credentials[];
}

/** Who logs in from where, for what is recorded about passwords. */
export interface SaslPeer {
  /** Such as "imap". */
  protocol: string;
  remoteIp: string;
}

/** Which mechanisms make sense with how users' passwords are checked. */
export interface SaslOffers {
  /** Access tokens of providers can be checked. */
  tokens: boolean;
  /** Some passwords can only be checked in plain text: mechanisms that don't send them would fail. */
  plainOnly: boolean;
}

/** What a server mechanism needs from the account store. Names are already prepared (see prepareUsername). */
export interface SaslBackend {
  /**
   * Checks a prepared password; also for names without an account, in about the same time.
   * @returns which credential it is, as in {@link ServerStep}; undefined if it is wrong
   * @throws SaslError "appPassword"
   */
  checkPassword(
    username: string,
    password: string,
    peer?: SaslPeer,
  ): Promise<string | undefined>;
  /**
   * What a SCRAM exchange is checked with. For names without an account: credentials that match no password,
   * marked `absent`, whose salt and rounds stay the same from attempt to attempt; undefined makes up such
   * credentials.
   */
  scramCredentials(
    username: string,
    mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256",
    peer?: SaslPeer,
  ): Promise<ScramCredentials | undefined>;
  cramMd5Credentials(username: string, peer?: SaslPeer): Promise<CramMd5Credentials | undefined>;
  /**
   * Checks an access token of a provider.
   * @param username as given by the client; "" if it gives none
   * @returns whose it is; undefined if it isn't valid, or not that user's
   * @throws SaslError "temporary"
   */
  checkToken?(
    username: string,
    token: string,
    peer?: SaslPeer,
  ): Promise<{ username: string; credential: string } | undefined>;
  /** All that need no token, if not given. */
  offers?(): SaslOffers;
  /** The login name that a client certificate (DER) stands for, and the id of that credential. */
  certificateUsername?(
    certificate: Uint8Array,
  ): Promise<{ username: string; credential: string } | undefined>;
}

/**
 * One step of the server: a challenge to send, or the name of the user who has logged in, and with what: an id
 * of the password, app password or key, by which the session is ended when that is revoked.
 */
export type ServerStep = { challenge: Uint8Array } | { username: string; credential: string };

/** The server's side of one exchange. */
export interface ServerMechanism {
  readonly name: MechanismName;
  /** The user name as far as the peer has sent it, for logs. */
  readonly username: string | undefined;
  /**
   * Takes the client's next response; at the start undefined if it sent no initial response.
   * @throws SaslError when the exchange has failed; it is over then.
   */
  step(input: Uint8Array | undefined): Promise<ServerStep>;
}

/** The client's side of one exchange. */
export interface ClientMechanism {
  readonly name: MechanismName;
  /** Sent along with the mechanism's name where the protocol can; undefined if the server begins. */
  readonly initial: Uint8Array | undefined;
  /**
   * The response to a challenge.
   * @throws SaslError if the challenge is malformed, or the server can't prove that it knows the password.
   */
  step(challenge: Uint8Array): Promise<Uint8Array>;
  /** True once success can be believed: with SCRAM after the server has proved its identity. */
  readonly complete: boolean;
}
