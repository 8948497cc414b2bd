/**
 * SCRAM-SHA-1 and SCRAM-SHA-256, with and without channel binding (RFC 5802, RFC 7677), both sides.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import {
  digest,
  hmac,
  saltedPassword,
  type ScramCredentials,
  type ScramHash,
} from "./credentials.ts";
import { sameBytes } from "./compare.ts";
import { preparePassword, prepareUsername } from "./prepare.ts";
import {
  attributes,
  base64Value,
  type ClientFirst,
  escapeName,
  parseClientFinal,
  parseClientFirst,
  parseServerFirst,
  scramText,
} from "./scram_message.ts";
import {
  type ClientMechanism,
  type SaslBackend,
  SaslError,
  type ServerMechanism,
  type ServerStep,
} from "./types.ts";

export type ScramName =
  | "SCRAM-SHA-1"
  | "SCRAM-SHA-1-PLUS"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-256-PLUS";

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);
const newNonce = () => randomBytes(18).toString("base64");

function hashOf(name: ScramName): ScramHash {
  return name.startsWith("SCRAM-SHA-256") ? "sha256" : "sha1";
}

const absentKey = randomBytes(32);

/**
 * Credentials that match no password, the same for each attempt, so that names without an account can't be
 * recognized.
 */
function absentCredentials(username: string, hash: ScramHash): ScramCredentials {
  const made = (what: string) =>
    Uint8Array.from(createHmac("sha256", absentKey).update(`${what} ${hash} ${username}`).digest());
  const size = hash === "sha1" ? 20 : 32;
  return {
    salt: made("salt").subarray(0, 16),
    iterations: 4096,
    storedKey: made("stored").subarray(0, size),
    serverKey: made("server").subarray(0, size),
  };
}

/** The server's side. `bindings` has the channel bindings of this TLS connection; empty without TLS. */
export function scramServer(
  name: ScramName,
  backend: SaslBackend,
  bindings: Map<string, Uint8Array>,
): ServerMechanism {
  const plus = name.endsWith("-PLUS");
  const hash = hashOf(name);
  let state: "first" | "final" | "acknowledge" | "over" = "first";
  let first: ClientFirst;
  let username: string | undefined;
  let credentials: ScramCredentials;
  let known = false;
  let credential = "";
  let nonce: string;
  let serverFirst: string;

  function checkBinding(): void {
    const b = first.binding;
    if (plus && b.kind !== "p") {
      throw new SaslError("channelBinding", "scram channel binding expected");
    }
    if (!plus && b.kind === "p") {
      throw new SaslError("channelBinding", "scram channel binding in a mechanism without it");
    }
    // RFC 5802 §6: the client can bind but saw an offer without binding: somebody changed the offer.
    if (b.kind === "y" && bindings.size > 0) {
      throw new SaslError("channelBinding", "server-does-support-channel-binding");
    }
    if (b.kind === "p" && !bindings.has(b.name)) {
      throw new SaslError("channelBinding", "unsupported-channel-binding-type");
    }
  }

  async function begin(input: Uint8Array): Promise<ServerStep> {
    first = parseClientFirst(input);
    username = prepareUsername(first.username);
    checkBinding();
    if (first.authorizationId !== "" && prepareUsername(first.authorizationId) !== username) {
      throw new SaslError("authorization", "can't act as another user");
    }
    const mechanism = hash === "sha1" ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
    const stored = await backend.scramCredentials(username, mechanism);
    known = stored !== undefined && stored.absent !== true;
    credentials = stored ?? absentCredentials(username, hash);
    nonce = first.nonce + newNonce();
    serverFirst = `r=${nonce},s=${credentials.salt.toBase64()},i=${credentials.iterations}`;
    state = "final";
    return { challenge: encoder.encode(serverFirst) };
  }

  function finish(input: Uint8Array): ServerStep {
    const final = parseClientFinal(input);
    const header = encoder.encode(first.gs2Header);
    const data = first.binding.kind === "p" ? bindings.get(first.binding.name)! : nothing;
    const expected = new Uint8Array([...header, ...data]);
    if (!sameBytes(final.channelBinding, expected)) {
      throw new SaslError("channelBinding", "channel-bindings-dont-match");
    }
    if (!sameBytes(encoder.encode(final.nonce), encoder.encode(nonce))) {
      throw new SaslError("malformed", "scram nonce is not the one sent");
    }
    const message = `${first.bare},${serverFirst},${final.withoutProof}`;
    if (final.proof.length !== credentials.storedKey.length) {
      throw new SaslError("malformed", "scram proof has the wrong size");
    }
    // Each is compared, so that the time taken doesn't show which one matched.
    const fitting = [credentials, ...credentials.others ?? []].filter((credentials) => {
      const clientKey = hmac(hash, credentials.storedKey, message);
      for (let i = 0; i < clientKey.length; i++) clientKey[i] ^= final.proof[i];
      return sameBytes(digest(hash, clientKey), credentials.storedKey);
    });
    if (fitting.length === 0 || !known) {
      throw new SaslError("credentials", "wrong user name or password");
    }
    state = "acknowledge";
    fitting[0].used?.();
    credential = fitting[0].credential ?? "";
    const signature = hmac(hash, fitting[0].serverKey, message);
    return { challenge: encoder.encode(`v=${signature.toBase64()}`) };
  }

  return {
    name,
    get username() {
      return username;
    },
    async step(input) {
      if (input === undefined && state === "first") return { challenge: nothing };
      const now = state;
      state = "over";
      if (input === undefined || now === "over") {
        throw new SaslError("malformed", "scram exchange is over");
      }
      if (now === "first") return await begin(input);
      if (now === "final") return finish(input);
      // Where success can't carry data, the client acknowledges the server's last message.
      if (input.length > 0) throw new SaslError("malformed", "scram exchange is over");
      return { username: username!, credential };
    },
  };
}

/** What a client logs in with. */
export interface ScramClientOptions {
  username: string;
  password: string;
  /** For -PLUS: the channel bindings of the TLS connection. */
  bindings?: Map<string, Uint8Array>;
  /** This side could bind, but the server did not offer a -PLUS mechanism (RFC 5802 §6). */
  serverCannotBind?: boolean;
  /** For tests. */
  nonce?: string;
}

/** The client's side. */
export function scramClient(name: ScramName, options: ScramClientOptions): ClientMechanism {
  const hash = hashOf(name);
  const nonce = options.nonce ?? newNonce();
  let gs2Header = options.serverCannotBind ? "y,," : "n,,";
  let bindingData: Uint8Array = nothing;
  if (name.endsWith("-PLUS")) {
    const [binding] = options.bindings ?? [];
    if (binding === undefined) throw new SaslError("unavailable", "no channel binding to be had");
    gs2Header = `p=${binding[0]},,`;
    bindingData = binding[1];
  }
  const bare = `n=${escapeName(prepareUsername(options.username))},r=${nonce}`;
  let state: "first" | "final" | "over" = "first";
  let signature: Uint8Array;
  let complete = false;

  async function respond(challenge: Uint8Array): Promise<Uint8Array> {
    const server = parseServerFirst(challenge);
    if (!server.nonce.startsWith(nonce) || server.nonce.length === nonce.length) {
      throw new SaslError("malformed", "scram nonce of the server doesn't fit");
    }
    const prepared = preparePassword(options.password);
    const salted = await saltedPassword(hash, prepared, server.salt, server.iterations);
    const bound = new Uint8Array([...encoder.encode(gs2Header), ...bindingData]).toBase64();
    const withoutProof = `c=${bound},r=${server.nonce}`;
    const message = `${bare},${server.text},${withoutProof}`;
    const proof = hmac(hash, salted, "Client Key");
    const mask = hmac(hash, digest(hash, proof), message);
    for (let i = 0; i < proof.length; i++) proof[i] ^= mask[i];
    signature = hmac(hash, hmac(hash, salted, "Server Key"), message);
    state = "final";
    return encoder.encode(`${withoutProof},p=${proof.toBase64()}`);
  }

  function verify(challenge: Uint8Array): Uint8Array {
    const [[letter, value]] = attributes(scramText(challenge));
    if (letter === "e") throw new SaslError("credentials", `server says: ${value.slice(0, 100)}`);
    if (letter !== "v" || !sameBytes(base64Value(value), signature)) {
      throw new SaslError("credentials", "server doesn't know the password");
    }
    complete = true;
    return nothing;
  }

  return {
    name,
    initial: encoder.encode(gs2Header + bare),
    get complete() {
      return complete;
    },
    async step(challenge) {
      const now = state;
      state = "over";
      if (now === "first") return await respond(challenge);
      if (now === "final") return verify(challenge);
      throw new SaslError("malformed", "scram exchange is over");
    },
  };
}
