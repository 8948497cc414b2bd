/**
 * Mechanisms that carry an access token of a provider instead of a password: OAUTHBEARER (RFC 7628), and the
 * older XOAUTH2, which most programs support. Offer them over TLS only.
 *
 * @module
 */
import { prepareUsername } from "./prepare.ts";
import { type SaslBackend, SaslError, type ServerMechanism, type ServerStep } from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes of a response. */
const maxLength = 12 * 1024;

interface Bearer {
  username: string;
  token: string;
}

function textOf(bytes: Uint8Array): string {
  try {
    if (bytes.length <= maxLength) return decoder.decode(bytes);
  } catch {
    // Reported below.
  }
  throw new SaslError("malformed", "UTF-8 text expected");
}

/** The token of "auth=Bearer …" among key=value pairs. */
function tokenOf(pairs: readonly string[]): string {
  const auth = pairs.find((p) => /^auth=/i.test(p))?.slice(5) ?? "";
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(auth);
  if (match === null) throw new SaslError("malformed", "auth=Bearer with a token expected");
  return match[1];
}

/** RFC 7628 §3.1: a GS2 header (RFC 5801) with the user's name, then pairs, each ended by ^A. */
export function readOAuthBearer(text: string): Bearer {
  const [header, ...pairs] = text.split("\x01");
  const gs2 = /^n,(?:a=([^,]*))?,$/.exec(header);
  if (gs2 === null) throw new SaslError("malformed", "n,a=user, expected");
  if (pairs.length < 2 || pairs.at(-1) !== "" || pairs.at(-2) !== "") {
    throw new SaslError("malformed", "two ^A expected at the end");
  }
  // RFC 5801 §4: "=2C" and "=3D" stand for "," and "=".
  const name = (gs2[1] ?? "").replaceAll(/=2C/gi, ",").replaceAll(/=3D/gi, "=");
  return { username: name === "" ? "" : prepareUsername(name), token: tokenOf(pairs) };
}

/** user=… ^A auth=Bearer … ^A ^A */
export function readXOAuth2(text: string): Bearer {
  const pairs = text.split("\x01");
  if (pairs.length < 4 || pairs.at(-1) !== "" || pairs.at(-2) !== "") {
    throw new SaslError("malformed", "two ^A expected at the end");
  }
  const user = pairs.find((p) => /^user=/i.test(p))?.slice(5) ?? "";
  if (user === "") throw new SaslError("malformed", "user= expected");
  return { username: prepareUsername(user), token: tokenOf(pairs) };
}

/**
 * The server's side of either. A failure is first reported in a challenge, which the client answers (RFC 7628
 * §3.2.3).
 */
export function bearerServer(
  name: "OAUTHBEARER" | "XOAUTH2",
  backend: SaslBackend,
): ServerMechanism {
  let username: string | undefined;
  let failure: SaslError | undefined;
  return {
    name,
    get username() {
      return username;
    },
    async step(input): Promise<ServerStep> {
      if (failure !== undefined) throw failure;
      if (input === undefined) return { challenge: new Uint8Array(0) };
      const text = textOf(input);
      const given = name === "OAUTHBEARER" ? readOAuthBearer(text) : readXOAuth2(text);
      username = given.username;
      try {
        const found = await backend.checkToken?.(given.username, given.token);
        if (found !== undefined) {
          username = found.username;
          return found;
        }
        failure = new SaslError("credentials", "the token is not valid here");
      } catch (err) {
        if (!(err instanceof SaslError)) throw err;
        failure = err;
      }
      const status = name === "XOAUTH2" ? "401" : "invalid_token";
      const more = name === "XOAUTH2" ? { schemes: "bearer" } : {};
      return { challenge: encoder.encode(JSON.stringify({ status, ...more })) };
    },
  };
}
