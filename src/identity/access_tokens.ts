/**
 * Access tokens of a provider with which mail programs log in: signed ones (JWT, RFC 9068 and what came before it) are
 * verified with the provider's keys, others by asking it (RFC 7662).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type * as jose from "jose";
import type * as openid from "openid-client";
import type { OpenIdProvider } from "../config/mod.ts";
import {
  addressOf,
  audiencesOf,
  type ClaimRules,
  type Claims,
  saysWho,
  scopesOf,
} from "./claims.ts";
import { IdentityError } from "./errors.ts";
import type { outboundFetch } from "./outbound_fetch.ts";
import { openIdLibrary } from "./packages/openid.ts";

/** Bytes of a token. */
const maxToken = 8192;
/** Milliseconds for which a valid token is cached. */
const knownFor = 60_000;
/** Cached valid tokens; the oldest is removed first. */
const maxKnown = 2000;
/** Milliseconds for which keys are cached, and before which they aren't fetched again. */
const keysFor = 600_000;
const keysAgain = 30_000;
/** Tolerated clock difference in seconds. */
const tolerance = 30;

/** Public-key signatures only: with a shared key, anybody who has it could make tokens. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

export interface AccessTokenOptions {
  conf: OpenIdProvider;
  rules: ClaimRules;
  configuration: () => Promise<openid.Configuration>;
  fetch: ReturnType<typeof outboundFetch>;
  now: () => number;
}

type Keys = ReturnType<typeof jose.createLocalJWKSet>;

export class AccessTokens {
  readonly #o: AccessTokenOptions;
  /** Cached tokens by hash. */
  readonly #known = new Map<string, { address: string; until: number }>();
  #keys: { set: Keys; fetched: number } | undefined;

  constructor(options: AccessTokenOptions) {
    this.#o = options;
  }

  /** The address of a token's owner. @throws IdentityError, and errors of the libraries */
  async address(token: string): Promise<string> {
    const { conf, now } = this.#o;
    if (conf.Audiences.length === 0) {
      throw new IdentityError("wrong", "programs can't log in with tokens: no Audiences are named");
    }
    // RFC 6750 §2.1
    if (token.length > maxToken || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
      throw new IdentityError("wrong", "not a token");
    }
    const hash = createHash("sha256").update(token).digest("base64");
    const before = this.#known.get(hash);
    if (before !== undefined && before.until > now()) return before.address;
    const claims = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
      ? await this.#signed(token)
      : await this.#asked(token);
    const address = await this.#addressOf(claims, token);
    const expires = typeof claims.exp === "number" ? claims.exp * 1000 : Infinity;
    this.#known.delete(hash);
    this.#known.set(hash, { address, until: Math.min(expires, now() + knownFor) });
    if (this.#known.size > maxKnown) {
      for (const [first] of this.#known) {
        this.#known.delete(first);
        break;
      }
    }
    return address;
  }

  /** Claims of a token that contains them. */
  async #signed(token: string): Promise<Claims> {
    const { jose } = await openIdLibrary();
    const { conf, configuration, now } = this.#o;
    const { issuer } = (await configuration()).serverMetadata();
    const verify = async (keys: Keys) =>
      (await jose.jwtVerify(token, keys, {
        issuer,
        audience: conf.Audiences,
        algorithms,
        clockTolerance: tolerance,
        currentDate: new Date(now()),
        requiredClaims: ["exp"],
      })).payload;
    let claims: jose.JWTPayload;
    try {
      try {
        claims = await verify(await this.#keySet());
      } catch (err) {
        // The provider may have a new key.
        if (!(err instanceof jose.errors.JWKSNoMatchingKey)) throw err;
        claims = await verify(await this.#keySet(keysAgain));
      }
    } catch (err) {
      if (err instanceof jose.errors.JOSEError) {
        throw new IdentityError("wrong", err.message, { cause: err });
      }
      throw err;
    }
    // An ID token proves a login somewhere, it does not authorize a program.
    if ("nonce" in claims || "at_hash" in claims || "c_hash" in claims) {
      throw new IdentityError("wrong", "an ID token is no access token");
    }
    this.#hasScope(claims);
    return claims;
  }

  /** Claims of a token that only the provider can read. */
  async #asked(token: string): Promise<Claims> {
    const { conf, configuration, now } = this.#o;
    const known = await configuration();
    if (known.serverMetadata().introspection_endpoint === undefined) {
      throw new IdentityError(
        "wrong",
        "the token is not signed, and the provider has no introspection",
      );
    }
    const { client } = await openIdLibrary();
    const claims: Claims = await client.tokenIntrospection(known, token);
    if (claims.active !== true) throw new IdentityError("wrong", "the token is not active");
    const { client_id } = claims;
    const audiences = audiencesOf(claims);
    if (audiences.length === 0 && typeof client_id === "string") audiences.push(client_id);
    if (!audiences.some((a) => conf.Audiences.includes(a))) {
      throw new IdentityError("wrong", "the token is for another audience");
    }
    if (typeof claims.exp === "number" && claims.exp * 1000 < now() - tolerance * 1000) {
      throw new IdentityError("wrong", "the token has expired");
    }
    this.#hasScope(claims);
    return claims;
  }

  #hasScope(claims: Claims): void {
    const { TokenScope } = this.#o.conf;
    if (TokenScope !== "" && !scopesOf(claims).includes(TokenScope)) {
      throw new IdentityError("wrong", `the token lacks the scope ${TokenScope}`);
    }
  }

  /** From its claims, or from the provider's information about its owner. */
  async #addressOf(claims: Claims, token: string): Promise<string> {
    const { rules, configuration } = this.#o;
    if (saysWho(claims, rules)) return addressOf(claims, rules);
    const known = await configuration();
    if (known.serverMetadata().userinfo_endpoint === undefined || typeof claims.sub !== "string") {
      return addressOf(claims, rules);
    }
    const { client } = await openIdLibrary();
    return addressOf(await client.fetchUserInfo(known, token, claims.sub), rules);
  }

  /** The provider's keys, not older than given. */
  async #keySet(maxAge = keysFor): Promise<Keys> {
    const { configuration, fetch, now } = this.#o;
    if (this.#keys !== undefined && now() - this.#keys.fetched < maxAge) return this.#keys.set;
    const { jwks_uri } = (await configuration()).serverMetadata();
    if (jwks_uri === undefined) throw new IdentityError("away", "the provider names no keys");
    const answer = await fetch(jwks_uri, {
      method: "GET",
      headers: { accept: "application/json" },
    });
    const { jose } = await openIdLibrary();
    let set: Keys;
    try {
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      set = jose.createLocalJWKSet(await answer.json() as jose.JSONWebKeySet);
    } catch (cause) {
      throw new IdentityError("away", "the provider's keys can't be read", { cause });
    }
    this.#keys = { set, fetched: now() };
    return set;
  }
}
