/**
 * CRAM-MD5 (RFC 2195), both sides.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { sameBytes } from "./compare.ts";
import { type CramMd5Credentials, cramMd5Credentials, cramMd5Digest } from "./credentials.ts";
import { preparePassword, prepareUsername } from "./prepare.ts";
import {
  type ClientMechanism,
  type SaslBackend,
  SaslError,
  type ServerMechanism,
} from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Nobody's credentials, for names without an account. */
const absent = {
  inner: Uint8Array.from(randomBytes(16)),
  outer: Uint8Array.from(randomBytes(16)),
};

/** The server's side; the host name is part of the challenge. */
export function cramMd5Server(backend: SaslBackend, hostname: string): ServerMechanism {
  const challenge = encoder.encode(
    `<${randomBytes(12).toString("hex")}.${Date.now()}@${hostname}>`,
  );
  let username: string | undefined;
  let asked = false;
  return {
    name: "CRAM-MD5",
    get username() {
      return username;
    },
    async step(input) {
      if (input === undefined && !asked) {
        asked = true;
        return { challenge };
      }
      // RFC 4954 §4: no initial response in a mechanism where the server speaks first.
      if (!asked || input === undefined || input.length > 4096) {
        throw new SaslError("malformed", "CRAM-MD5 begins with the server's challenge");
      }
      let text: string;
      try {
        text = decoder.decode(input);
      } catch (e) {
        throw new SaslError("malformed", "UTF-8 text expected", { cause: e });
      }
      const space = text.lastIndexOf(" ");
      const hex = text.slice(space + 1);
      if (space < 0 || !/^[0-9a-f]{32}$/.test(hex)) {
        throw new SaslError("malformed", "user name and digest expected");
      }
      username = prepareUsername(text.slice(0, space));
      const stored = await backend.cramMd5Credentials(username);
      const given = Uint8Array.fromHex(hex);
      const fitting = [stored ?? absent, ...stored?.others ?? []].filter((c) =>
        stored?.anyDigest === true || sameBytes(given, cramMd5Digest(c, challenge))
      );
      if (fitting.length === 0 || stored === undefined) {
        throw new SaslError("credentials", "wrong user name or password");
      }
      const fits: CramMd5Credentials = fitting[0];
      fits.used?.();
      return { username, credential: fits.credential ?? "" };
    },
  };
}

/** The client's side. */
export function cramMd5Client(username: string, password: string): ClientMechanism {
  const credentials = cramMd5Credentials(preparePassword(password));
  const name = prepareUsername(username);
  return {
    name: "CRAM-MD5",
    initial: undefined,
    complete: true,
    step(challenge) {
      const hex = cramMd5Digest(credentials, challenge).toHex();
      return Promise.resolve(encoder.encode(`${name} ${hex}`));
    },
  };
}
