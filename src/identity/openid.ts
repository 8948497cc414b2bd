/**
 * Logins with an OpenID provider: on web pages by the authorization code flow with PKCE, of mail programs by access
 * tokens. openid-client implements the protocol; the decisions are made here.
 *
 * @module
 */
import type * as openid from "openid-client";
import type { OpenIdProvider } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { type Outbound, OutboundError } from "../net/mod.ts";
import { AccessTokens } from "./access_tokens.ts";
import { addressOf, type ClaimRules, type Claims, saysWho } from "./claims.ts";
import { IdentityError } from "./errors.ts";
import { outboundFetch } from "./outbound_fetch.ts";
import { type OpenIdLibrary, openIdLibrary } from "./packages/openid.ts";

/** Milliseconds for which the provider's metadata is cached, and a failure to get it. */
const knownFor = 3_600_000;
const failedFor = 10_000;

/** The state of a pending login. */
export interface PendingLogin {
  state: string;
  nonce: string;
  verifier: string;
}

/** A user identified by a provider. */
export interface Person {
  /** Login address. */
  address: string;
  /** Full name; "" if unknown. */
  name: string;
}

export interface OpenIdOptions {
  /** In the configuration. */
  name: string;
  conf: OpenIdProvider;
  /** The client secret; "" for a public client. */
  secret: string;
  outbound: Outbound;
  log: Log;
  now?: () => number;
}

export class OpenId {
  readonly name: string;
  readonly conf: OpenIdProvider;
  readonly rules: ClaimRules;
  readonly #o: OpenIdOptions;
  readonly #fetch: ReturnType<typeof outboundFetch>;
  readonly #now: () => number;
  readonly #tokens: AccessTokens;
  #known: { configuration: Promise<openid.Configuration>; until: number } | undefined;

  constructor(options: OpenIdOptions) {
    this.name = options.name;
    this.conf = options.conf;
    this.#o = options;
    this.#fetch = outboundFetch(options.outbound);
    this.#now = options.now ?? Date.now;
    this.rules = {
      loginClaim: options.conf.LoginClaim,
      allowUnverifiedEmail: options.conf.AllowUnverifiedEmail,
    };
    this.#tokens = new AccessTokens({
      conf: options.conf,
      rules: this.rules,
      configuration: () => this.#configuration(),
      fetch: this.#fetch,
      now: this.#now,
    });
  }

  /** Label on the login form. */
  get label(): string {
    return this.conf.Label || this.name;
  }

  /** The provider's metadata (OpenID Connect Discovery), fetched once an hour. */
  #configuration(): Promise<openid.Configuration> {
    const now = this.#now();
    if (this.#known !== undefined && now < this.#known.until) return this.#known.configuration;
    const known = { configuration: this.#discover(), until: now + knownFor };
    known.configuration.catch(() => known.until = this.#now() + failedFor);
    this.#known = known;
    return known.configuration;
  }

  async #discover(): Promise<openid.Configuration> {
    const { client } = await openIdLibrary();
    const { conf, secret } = this.#o;
    const issuer = new URL(conf.Issuer);
    const plain = issuer.protocol === "http:";
    const options: openid.DiscoveryRequestOptions = {
      [client.customFetch]: this.#fetch as openid.CustomFetch,
      execute: plain ? [client.allowInsecureRequests] : [],
    };
    const discover = (at: URL) =>
      client.discovery(at, conf.ClientID, undefined, client.None(), options);
    const found = await discover(issuer).catch((err) => {
      // A trailing slash is easily forgotten or added; the provider's own form counts then.
      if (codeOf(err) !== "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED") throw err;
      const other = issuer.href.endsWith("/") ? issuer.href.slice(0, -1) : `${issuer.href}/`;
      return discover(new URL(other));
    });
    const server = found.serverMetadata();
    // OpenID Connect Core §9: the default if nothing is announced.
    const ways = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const authentication = secret === ""
      ? client.None()
      : ways.includes("client_secret_basic")
      ? client.ClientSecretBasic(secret)
      : client.ClientSecretPost(secret);
    const metadata = secret === "" ? undefined : { client_secret: secret };
    const made = new client.Configuration(server, conf.ClientID, metadata, authentication);
    made[client.customFetch] = this.#fetch as openid.CustomFetch;
    if (plain) client.allowInsecureRequests(made);
    // Signatures of ID tokens are verified, although they arrive over TLS from the provider itself.
    client.enableNonRepudiationChecks(made);
    return made;
  }

  /** Runs a request to the provider. @throws IdentityError */
  async #asking<T>(what: string, run: (library: OpenIdLibrary) => Promise<T>): Promise<T> {
    const library = await openIdLibrary();
    try {
      return await run(library);
    } catch (err) {
      if (err instanceof IdentityError) throw err;
      const identified = identityError(err, library);
      this.#o.log[identified.reason === "away" ? "warn" : "info"](what, {
        provider: this.name,
        reason: identified.message,
      });
      throw identified;
    }
  }

  /** Where to send the browser. @throws IdentityError "away" */
  begin(redirectUri: string): Promise<{ url: URL; pending: PendingLogin }> {
    return this.#asking("beginning a login with a provider", async ({ client }) => {
      const configuration = await this.#configuration();
      const verifier = client.randomPKCECodeVerifier();
      const pending = { state: client.randomState(), nonce: client.randomNonce(), verifier };
      const { Scopes } = this.conf;
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: ["openid", ...(Scopes.length > 0 ? Scopes : ["profile", "email"])].join(" "),
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      return { url, pending };
    });
  }

  /**
   * The user that the provider has sent back.
   * @param current the URL that the browser returned to
   * @throws IdentityError
   */
  finish(current: URL, pending: PendingLogin): Promise<Person> {
    return this.#asking("a login with a provider", async ({ client }) => {
      const configuration = await this.#configuration();
      // An answer to another login, or from another provider (RFC 9207), is not this provider's fault.
      const { searchParams } = current;
      const iss = searchParams.get("iss");
      const mixed = iss !== null && iss !== configuration.serverMetadata().issuer;
      if (mixed || searchParams.get("state") !== pending.state) {
        throw new IdentityError("wrong", "the answer is of another login");
      }
      const tokens = await client.authorizationCodeGrant(configuration, current, {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        idTokenExpected: true,
      });
      const id = tokens.claims()!;
      let claims: Claims = id;
      if (!saysWho(claims, this.rules) && configuration.serverMetadata().userinfo_endpoint) {
        claims = await client.fetchUserInfo(configuration, tokens.access_token, id.sub);
      }
      const name = typeof claims.name === "string" ? claims.name.slice(0, 200) : "";
      return { address: addressOf(claims, this.rules), name };
    });
  }

  /** The address of an access token's owner. @throws IdentityError */
  checkAccessToken(token: string): Promise<string> {
    return this.#asking("a login with a provider's token", () => this.#tokens.address(token));
  }
}

/** Code of an error of the library. */
const codeOf = (err: unknown) => String((err as { code?: unknown }).code);

/** A failure of the library as text, without tokens. */
function identityError(err: unknown, { client }: OpenIdLibrary): IdentityError {
  if (err instanceof OutboundError) return new IdentityError("away", err.message, { cause: err });
  if (err instanceof client.AuthorizationResponseError) {
    return new IdentityError("wrong", `the provider has refused: ${plain(err.error)}`, {
      cause: err,
    });
  }
  if (err instanceof client.ResponseBodyError) {
    const away = err.status >= 500;
    return new IdentityError(
      away ? "away" : "wrong",
      `the provider answers ${err.status} ${plain(err.error)}`,
      { cause: err },
    );
  }
  if (err instanceof client.WWWAuthenticateChallengeError) {
    return new IdentityError("wrong", `the provider refuses the token (${err.status})`, {
      cause: err,
    });
  }
  const cause = err instanceof Error && err.cause instanceof Error ? err.cause : undefined;
  if (cause instanceof OutboundError) {
    return new IdentityError("away", cause.message, { cause: err });
  }
  const text = err instanceof Error ? err.message : String(err);
  // Not the user's fault: the provider's answer violates the protocol.
  const answers = [
    "OAUTH_INVALID_RESPONSE",
    "OAUTH_RESPONSE_IS_NOT_CONFORM",
    "OAUTH_RESPONSE_IS_NOT_JSON",
    "OAUTH_PARSE_ERROR",
    "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED",
  ];
  return new IdentityError(
    answers.includes(codeOf(err)) ? "away" : "wrong",
    plain(text),
    { cause: err },
  );
}

/** Text from a provider for logs and messages: short, on one line. */
const plain = (text: string) => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
