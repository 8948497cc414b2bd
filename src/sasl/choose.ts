/**
 * Which mechanisms a server offers on a connection, and which one a client chooses.
 *
 * @module
 */
import { cramMd5Wanted } from "./cram_setting.ts";
import { bearerServer } from "./bearer.ts";
import { cramMd5Client, cramMd5Server } from "./crammd5.ts";
import {
  externalClient,
  externalServer,
  loginClient,
  loginServer,
  plainClient,
  plainServer,
} from "./plain.ts";
import { scramClient, scramServer } from "./scram.ts";
import {
  type ClientMechanism,
  type MechanismName,
  mechanismNames,
  type SaslBackend,
  type SaslOffers,
  type SaslPeer,
  tokenMechanismNames,
} from "./types.ts";
import type { ServerMechanism } from "./types.ts";

/** What is known about the connection on which a server authenticates. */
export interface SaslServerContext {
  /** TLS is on, or plain-text passwords are allowed here. */
  mayShowPassword: boolean;
  /** Of the TLS connection; empty without TLS. */
  channelBindings: Map<string, Uint8Array>;
  /** DER of the TLS client certificate. */
  peerCertificate?: Uint8Array;
  /** Of this server, for CRAM-MD5's challenge. */
  hostname: string;
  /** Mechanisms to offer among those that the connection allows; all if not given. */
  only?: readonly MechanismName[];
  /** What the backend offers. */
  offers?: SaslOffers;
  /** Passed on to the backend. */
  peer?: SaslPeer;
  /**
   * Called with the user's name before any of their data is looked up, so that attempts are counted first; what
   * it throws ends the exchange.
   */
  admit?(username: string): Promise<void>;
}

/** Names of the mechanisms to offer, in the order of {@link mechanismNames}, those with tokens last. */
export function offeredMechanisms(context: SaslServerContext): MechanismName[] {
  const tokens = context.offers?.tokens === true && context.mayShowPassword;
  const others = mechanismNames.filter((name) => {
    if (context.only !== undefined && !context.only.includes(name)) return false;
    if (name === "CRAM-MD5" && !cramMd5Wanted()) return false;
    if (context.offers?.plainOnly && (name.startsWith("SCRAM-") || name === "CRAM-MD5")) {
      return false;
    }
    if (name.endsWith("-PLUS")) return context.channelBindings.size > 0;
    if (name === "EXTERNAL") return context.peerCertificate !== undefined;
    return context.mayShowPassword || (name !== "PLAIN" && name !== "LOGIN");
  });
  return tokens ? [...others, ...tokenMechanismNames] : others;
}

/** The server's side of a mechanism by its name in any case; undefined if it isn't offered. */
export function serverMechanism(
  name: string,
  accounts: SaslBackend,
  context: SaslServerContext,
): ServerMechanism | undefined {
  const { peer } = context;
  const admitted = async <T>(user: string, then: () => Promise<T>): Promise<T> => {
    await context.admit?.(user);
    return await then();
  };
  const backend: SaslBackend = {
    certificateUsername: accounts.certificateUsername &&
      ((certificate) => accounts.certificateUsername!(certificate)),
    checkPassword: (user, password) =>
      admitted(user, () => accounts.checkPassword(user, password, peer)),
    scramCredentials: (user, mechanism) =>
      admitted(user, () => accounts.scramCredentials(user, mechanism, peer)),
    cramMd5Credentials: (user) => admitted(user, () => accounts.cramMd5Credentials(user, peer)),
    checkToken: accounts.checkToken &&
      ((user, token) => admitted(user, () => accounts.checkToken!(user, token, peer))),
  };
  const known = offeredMechanisms(context).find((n) => n === name.toUpperCase());
  switch (known) {
    case undefined:
      return undefined;
    case "PLAIN":
      return plainServer(backend);
    case "LOGIN":
      return loginServer(backend);
    case "CRAM-MD5":
      return cramMd5Server(backend, context.hostname);
    case "EXTERNAL":
      return externalServer(backend, context.peerCertificate);
    case "OAUTHBEARER":
    case "XOAUTH2":
      return bearerServer(known, backend);
    default:
      return scramServer(known, backend, context.channelBindings);
  }
}

/** What a client can log in with. */
export interface SaslClientOptions {
  username: string;
  password: string;
  /** Of the TLS connection; empty without TLS. */
  channelBindings: Map<string, Uint8Array>;
  /** The connection is encrypted: a password may be sent. */
  mayShowPassword: boolean;
  /** Mechanisms to use, most wanted first; if not given all that don't need a certificate. */
  wanted?: readonly MechanismName[];
}

/** The most wanted mechanism among those offered, ready to begin; undefined if there is none. */
export function clientMechanism(
  offered: readonly string[],
  options: SaslClientOptions,
): ClientMechanism | undefined {
  const names = new Set(offered.map((n) => n.toUpperCase()));
  const wanted = options.wanted ?? mechanismNames.filter((n) => n !== "EXTERNAL");
  const name = wanted.find((name) => {
    if (!names.has(name)) return false;
    if (name.endsWith("-PLUS")) return options.channelBindings.size > 0;
    return options.mayShowPassword || (name !== "PLAIN" && name !== "LOGIN");
  });
  const { username, password } = options;
  switch (name) {
    case undefined:
    case "OAUTHBEARER":
    case "XOAUTH2":
      return undefined;
    case "PLAIN":
      return plainClient(username, password);
    case "LOGIN":
      return loginClient(username, password);
    case "CRAM-MD5":
      return cramMd5Client(username, password);
    case "EXTERNAL":
      return externalClient();
    default:
      return scramClient(name, {
        username,
        password,
        bindings: options.channelBindings,
        serverCannotBind: options.channelBindings.size > 0 && !name.endsWith("-PLUS") &&
          ![...names].some((n) => n.startsWith("SCRAM-") && n.endsWith("-PLUS")),
      });
  }
}
