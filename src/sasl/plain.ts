/**
 * Mechanisms that send the password or rely on another proof: PLAIN (RFC 4616), LOGIN
 * (draft-murchison-sasl-login), EXTERNAL (RFC 4422 appendix A). Offer them over TLS only.
 *
 * @module
 */
import { preparePassword, prepareUsername } from "./prepare.ts";
import {
  type ClientMechanism,
  type SaslBackend,
  SaslError,
  type ServerMechanism,
  type ServerStep,
} from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const nothing = new Uint8Array(0);

/** Most bytes of a name or password. */
const maxLength = 4096;

function textOf(bytes: Uint8Array): string {
  try {
    if (bytes.length <= maxLength) return decoder.decode(bytes);
  } catch {
    // Reported below.
  }
  throw new SaslError("malformed", "UTF-8 text expected");
}

async function checkPassword(
  backend: SaslBackend,
  username: string,
  password: string,
): Promise<ServerStep> {
  const credential = await backend.checkPassword(username, preparePassword(password));
  if (credential !== undefined) return { username, credential };
  throw new SaslError("credentials", "wrong user name or password");
}

/** PLAIN, the server's side. */
export function plainServer(backend: SaslBackend): ServerMechanism {
  let username: string | undefined;
  return {
    name: "PLAIN",
    get username() {
      return username;
    },
    async step(input) {
      if (input === undefined) return { challenge: nothing };
      const parts = textOf(input).split("\0");
      if (parts.length !== 3) {
        throw new SaslError("malformed", "authorization id, user name and password expected");
      }
      username = prepareUsername(parts[1]);
      if (parts[0] !== "" && prepareUsername(parts[0]) !== username) {
        throw new SaslError("authorization", "can't act as another user");
      }
      return await checkPassword(backend, username, parts[2]);
    },
  };
}

/** PLAIN, the client's side. */
export function plainClient(username: string, password: string): ClientMechanism {
  return {
    name: "PLAIN",
    initial: encoder.encode(`\0${prepareUsername(username)}\0${preparePassword(password)}`),
    complete: true,
    step(challenge) {
      // A protocol without initial responses begins with an empty challenge; the response is sent in reply to
      // that.
      if (challenge.length === 0) return Promise.resolve(this.initial!);
      return Promise.reject(new SaslError("malformed", "PLAIN has no challenges"));
    },
  };
}

/** LOGIN, the server's side. */
export function loginServer(backend: SaslBackend): ServerMechanism {
  let username: string | undefined;
  let asked = false;
  return {
    name: "LOGIN",
    get username() {
      return username;
    },
    async step(input) {
      if (username === undefined) {
        if (input === undefined && !asked) {
          asked = true;
          return { challenge: encoder.encode("Username:") };
        }
        username = prepareUsername(textOf(input ?? nothing));
        return { challenge: encoder.encode("Password:") };
      }
      return await checkPassword(backend, username, textOf(input ?? nothing));
    },
  };
}

/** LOGIN, the client's side: the first challenge is answered with the name, the second with the password. */
export function loginClient(username: string, password: string): ClientMechanism {
  const answers = [prepareUsername(username), preparePassword(password)].map((t) =>
    encoder.encode(t)
  );
  return {
    name: "LOGIN",
    initial: undefined,
    complete: true,
    step() {
      const answer = answers.shift();
      if (answer !== undefined) return Promise.resolve(answer);
      return Promise.reject(new SaslError("malformed", "LOGIN has two challenges only"));
    },
  };
}

/** EXTERNAL, the server's side: the TLS client certificate identifies the user. */
export function externalServer(
  backend: SaslBackend,
  certificate: Uint8Array | undefined,
): ServerMechanism {
  let username: string | undefined;
  return {
    name: "EXTERNAL",
    get username() {
      return username;
    },
    async step(input) {
      if (input === undefined) return { challenge: nothing };
      if (certificate === undefined || backend.certificateUsername === undefined) {
        throw new SaslError("unavailable", "no TLS client certificate");
      }
      const wanted = input.length === 0 ? undefined : prepareUsername(textOf(input));
      const known = await backend.certificateUsername(certificate);
      if (known === undefined) throw new SaslError("credentials", "certificate is not known");
      username = known.username;
      if (wanted !== undefined && wanted !== username) {
        throw new SaslError("authorization", "can't act as another user");
      }
      return known;
    },
  };
}

/** EXTERNAL, the client's side. */
export function externalClient(authorizationId = ""): ClientMechanism {
  return {
    name: "EXTERNAL",
    initial: encoder.encode(authorizationId),
    complete: true,
    step(challenge) {
      if (challenge.length === 0) return Promise.resolve(this.initial!);
      return Promise.reject(new SaslError("malformed", "EXTERNAL has no challenges"));
    },
  };
}
