/**
 * Versions of domains.conf: numbered, signed by the node that pushed them, and each with the versions it is based on, so
 * that another node's change is not replaced by a file made without it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CallError } from "../../nodes/calls.ts";
import { type NodeKey, signAsNode, signedByNode } from "../../nodes/key.ts";

/** A push, without its text. */
export interface Version {
  version: number;
  /** SHA-256 of the text, in hexadecimal. */
  hash: string;
  /** The node that pushed it. */
  by: string;
  /** Certificate of its key, PEM. */
  certificate: string;
  signature: string;
  /** Hashes of the versions whose changes it has, the newest first; undefined from programs that did not note them. */
  history?: string[];
  historySignature?: string;
}

/** Version of a node that has pushed and accepted none. */
export const noVersion: Version = { version: 0, hash: "", by: "", certificate: "", signature: "" };
/** Larger than the number of any honest push. */
const maxVersion = 1e9;
/** Earlier versions that a version lists. A node that missed more has to be forced. */
const maxHistory = 200;

/** SHA-256, in hexadecimal. */
export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const signedText = (v: Version) => `domains.conf ${v.version} ${v.hash} ${v.by}`;
const signedHistory = (v: Version) => `${signedText(v)} after ${v.history?.join(" ")}`;

/** A list of hashes; undefined if it isn't one. */
export function historyFrom(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length <= maxHistory &&
      value.every((h) => typeof h === "string" && /^[0-9a-f]{64}$/.test(h))
    ? value
    : undefined;
}

/** A version from the network or from the file. @throws CallError */
export function versionFrom(value: unknown): Version {
  const v = (value ?? {}) as Record<string, unknown>;
  const { version, hash, by, certificate, signature, history, historySignature = "" } = v;
  const words = [hash, by, certificate, signature, historySignature];
  if (
    !Number.isSafeInteger(version) || (version as number) < 0 || (version as number) > maxVersion ||
    !words.every((w) => typeof w === "string" && w.length < 20_000) ||
    history !== undefined && historyFrom(history) === undefined
  ) throw new CallError("a version of domains.conf is expected");
  const basic = { version, hash, by, certificate, signature } as Version;
  return history === undefined ? basic : { ...basic, history, historySignature } as Version;
}

/** A new version, signed. @param from versions whose changes it has, the newest first */
export function signedVersion(
  key: NodeKey,
  by: string,
  version: number,
  text: string,
  from: readonly string[],
): Version {
  const hash = sha256(text);
  const history = [...new Set(from)].filter((h) => h !== "").slice(0, maxHistory);
  const v: Version = { version, hash, by, certificate: key.cert, signature: "", history };
  v.signature = signAsNode(key, signedText(v));
  v.historySignature = signAsNode(key, signedHistory(v));
  return v;
}

/** Whether the node with that key has signed it. @param keyHash of the node that pushed it, by domains.conf */
export function isSigned(v: Version, keyHash: string): boolean {
  return signedByNode(keyHash, v.certificate, signedText(v), v.signature) &&
    (v.history === undefined ||
      signedByNode(keyHash, v.certificate, signedHistory(v), v.historySignature ?? ""));
}

/** Whether a version includes the changes of another one. */
export function holds(v: Version, other: Pick<Version, "version" | "hash">): boolean {
  if (other.version === 0 || other.hash === v.hash) return true;
  return v.history === undefined ? other.version < v.version : v.history.includes(other.hash);
}
