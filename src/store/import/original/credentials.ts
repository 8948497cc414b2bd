/** The Go original's data of a password: a bcrypt hash, and keys of SCRAM and CRAM-MD5. @module */
import {
  type CramMd5Credentials,
  type DerivedCredentials,
  digest,
  hmac,
  type ScramCredentials,
  type ScramHash,
} from "../../../sasl/credentials.ts";
import type { BoltRecord, RecordFile } from "../../bolt/records.ts";
import { parsePasswordHash } from "../../logins/password_hash.ts";
import type { Warn } from "./mailboxes.ts";

/** Credentials of an account; undefined if it has no usable ones. */
export function originalCredentials(
  file: RecordFile,
  warn: Warn,
): { hash: string; derived: DerivedCredentials } | undefined {
  const [p] = file.records("Password");
  if (!p) return undefined;
  const hash = p.text("Hash");
  if (parsePasswordHash(hash) === undefined) {
    warn("the password's hash is of an unknown kind: set a new password");
    return undefined;
  }
  return {
    hash,
    derived: {
      scramSha1: scram("sha1", p.record("SCRAMSHA1")),
      scramSha256: scram("sha256", p.record("SCRAMSHA256")),
      cramMd5: cramMd5(p.bytes("CRAMMD5")),
    },
  };
}

function scram(hash: ScramHash, record: BoltRecord): ScramCredentials | undefined {
  const salted = record.bytes("SaltedPassword");
  const iterations = record.number("Iterations");
  if (salted.length !== (hash === "sha1" ? 20 : 32) || iterations < 1) return undefined;
  return {
    salt: record.bytes("Salt"),
    iterations,
    storedKey: digest(hash, hmac(hash, salted, "Client Key")),
    serverKey: hmac(hash, salted, "Server Key"),
  };
}

/**
 * Two MD5 states after one block, as Go packs them: "md5\x01", the four words of the state big-endian, the
 * partial block (64 bytes), the number of bytes processed (8). The length of the first precedes them (2 bytes).
 */
function cramMd5(bytes: Uint8Array): CramMd5Credentials | undefined {
  const size = 4 + 16 + 64 + 8;
  if (bytes.length !== 2 + 2 * size || (bytes[0] << 8 | bytes[1]) !== size) return undefined;
  const inner = md5State(bytes.subarray(2, 2 + size));
  const outer = md5State(bytes.subarray(2 + size));
  return inner && outer && { inner, outer };
}

function md5State(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (String.fromCharCode(...bytes.subarray(0, 3)) !== "md5" || bytes[3] !== 1) return undefined;
  // Only the key's block has been processed.
  if (view.getBigUint64(84) !== 64n) return undefined;
  const state = new Uint8Array(16);
  const out = new DataView(state.buffer);
  for (let i = 0; i < 4; i++) out.setUint32(i * 4, view.getUint32(4 + i * 4), true);
  return state;
}
