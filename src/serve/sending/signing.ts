/**
 * DKIM signatures of messages that this server sends, and ARC seals of those that it passes on, made with the
 * selectors of a domain.
 *
 * @module
 */
import { type KeyObject } from "node:crypto";
import { privateKeyFromPem } from "../../platform/private_key.ts";
import { type Config, parseDuration } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import {
  type ArcOutcome,
  bytesSource,
  type DkimSigner,
  type MessageSource,
  sealArc,
  signDkim,
  signedBodies,
  signHeader,
} from "../../senderauth/mod.ts";
import { joined } from "../../platform/bytes.ts";

const log = new Log("dkim");

/** Keys by file, with the file's modification time. */
const keys = new Map<string, { modified: number; key: KeyObject }>();

/** The key in a file; read again when the file has changed. */
async function privateKey(path: string): Promise<KeyObject> {
  const modified = (await Deno.stat(path)).mtime?.getTime() ?? 0;
  const known = keys.get(path);
  if (known?.modified === modified) return known.key;
  const key = privateKeyFromPem(await Deno.readTextFile(path));
  keys.set(path, { modified, key });
  return key;
}

/** The signers of a domain. A selector whose key can't be read is left out and logged. */
async function signersOf(config: Config, domain: string): Promise<DkimSigner[]> {
  const entry = config.domain(domain);
  const signers: DkimSigner[] = [];
  for (const name of entry?.config.DKIM.Sign ?? []) {
    const selector = entry!.config.DKIM.Selectors.get(name);
    if (!selector) continue;
    try {
      const expires = selector.Expiration === "" ? undefined : parseDuration(selector.Expiration);
      signers.push({
        domain: entry!.name.ascii,
        selector: name,
        privateKey: await privateKey(config.configPath(selector.PrivateKeyFile)),
        headers: selector.Headers.length > 0 ? selector.Headers : undefined,
        oversign: !selector.DontSealHeaders,
        headerForm: selector.Canonicalization.HeaderRelaxed ? "relaxed" : "simple",
        bodyForm: selector.Canonicalization.BodyRelaxed ? "relaxed" : "simple",
        expiresIn: expires === undefined ? undefined : Math.round(expires / 1000),
      });
    } catch (err) {
      log.error("key can't be used", { err: err as Error, domain, selector: name });
    }
  }
  return signers;
}

/** A message in a file with a prefix in front. */
interface PrefixedFile {
  file: string;
  fileSize: number;
  prefix: Uint8Array;
}

/**
 * DKIM-Signature fields for a message; "" if its domain does not sign. They go in front of the prefix.
 */
export async function signatures(
  config: Config,
  domain: string,
  file: PrefixedFile,
): Promise<string> {
  const signers = await signersOf(config, domain);
  if (signers.length === 0) return "";
  return await withMessage(file, (message) => signDkim({ ...message, signers, now: new Date() }));
}

/**
 * Signs one message repeatedly, each time with different fields in front of it; its body is hashed once. Without keys
 * of the domain the signature is "".
 */
export async function repeatedSignature(
  config: Config,
  domain: string,
  m: Omit<PrefixedFile, "prefix">,
): Promise<(prefix: Uint8Array) => string> {
  const signers = await signersOf(config, domain);
  if (signers.length === 0) return () => "";
  return await withMessage(
    { ...m, prefix: new Uint8Array(0) },
    async ({ headerBytes, message, bodyOffset }) => {
      const hashes = await signedBodies(message, bodyOffset, signers);
      return (prefix) => signHeader(joined([prefix, headerBytes]), signers, hashes, new Date());
    },
  );
}

/**
 * Replaces our signatures of an outgoing message that was changed: the DKIM-Signature
 * fields of our domains at its start. Those of domains that no longer sign are removed.
 */
export async function signAgain(config: Config, message: Uint8Array): Promise<Uint8Array> {
  const domains = new Set<string>();
  let start = 0;
  for (;;) {
    const end = fieldEnd(message, start);
    const field = new TextDecoder().decode(message.subarray(start, end));
    if (!/^dkim-signature[ \t]*:/i.test(field)) break;
    const domain = /[:;]\s*d\s*=\s*([^\s;]+)/.exec(field)?.[1];
    if (domain === undefined || !config.domain(domain)) break;
    domains.add(domain);
    start = end;
  }
  const rest = message.subarray(start);
  const bodyOffset = headerEnd(rest, 0) ?? rest.length;
  let fields = "";
  for (const domain of domains) {
    fields += await signDkim({
      headerBytes: rest.subarray(0, bodyOffset),
      message: bytesSource(rest),
      bodyOffset,
      signers: await signersOf(config, domain),
      now: new Date(),
    });
  }
  return joined([new TextEncoder().encode(fields), rest]);
}

/** Where the field that starts there ends: before the next line that isn't a continuation. */
function fieldEnd(bytes: Uint8Array, start: number): number {
  for (let at = start;;) {
    const lf = bytes.indexOf(10, at);
    if (lf < 0) return bytes.length;
    if (bytes[lf + 1] !== 32 && bytes[lf + 1] !== 9) return lf + 1;
    at = lf + 1;
  }
}

/** What is known about a message that is passed on. */
export interface PassedOn {
  /** Result for the ARC sets it arrived with. */
  chain: ArcOutcome | undefined;
  /** Value of Authentication-Results on arrival. */
  results: string;
  /** The message may be signed as if it were the domain's own (onward/vouch.ts). */
  vouched: boolean;
}

/**
 * An ARC set for a message that is passed on by a domain (RFC 8617 §5.1), and DKIM-Signature fields if the domain
 * vouches for it; "" if the domain has no keys. They go in front of the prefix.
 */
export async function forwardingSignatures(
  config: Config,
  domain: string,
  file: PrefixedFile,
  { chain, results, vouched }: PassedOn,
): Promise<string> {
  const signers = await signersOf(config, domain);
  if (signers.length === 0) return "";
  const now = new Date();
  const signature = vouched
    ? await withMessage(file, (message) => signDkim({ ...message, signers, now }))
    : "";
  if (chain === undefined) return signature;
  // RFC 8617 §4.1.2: verifiers need not support algorithms other than RSA.
  const sealer = signers.find((s) => s.privateKey.asymmetricKeyType === "rsa") ?? signers[0];
  const prefix = joined([new TextEncoder().encode(signature), file.prefix]);
  const seal = await withMessage(
    { ...file, prefix },
    (message) => sealArc({ ...message, ...sealer, chain, results, now }),
  );
  return (seal ?? "") + signature;
}

/** Calls the function with the message open: its header with the prefix, and where its body starts in the file. */
async function withMessage<T>(
  m: PrefixedFile,
  fn: (m: { headerBytes: Uint8Array; message: MessageSource; bodyOffset: number }) => Promise<T>,
): Promise<T> {
  const file = await Deno.open(m.file, { read: true });
  try {
    const message: MessageSource = {
      size: m.fileSize,
      async read(offset, length) {
        await file.seek(offset, Deno.SeekMode.Start);
        const out = new Uint8Array(length);
        return out.subarray(0, await file.read(out) ?? 0);
      },
    };
    const header = await headerOf(message);
    return await fn({
      headerBytes: joined([m.prefix, header]),
      message,
      bodyOffset: header.length,
    });
  } finally {
    file.close();
  }
}

/** The header with its empty line; all of the message if it has none. */
async function headerOf(message: MessageSource): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < message.size;) {
    const more = await message.read(at, 16 * 1024);
    if (more.length === 0) break;
    const all = joined([bytes, more]);
    // The end may span two pieces.
    const end = headerEnd(all, Math.max(0, bytes.length - 3));
    if (end !== undefined) return all.subarray(0, end);
    bytes = all;
    at += more.length;
  }
  return bytes;
}

/** Where the body starts, if the empty line is there. */
function headerEnd(bytes: Uint8Array, from: number): number | undefined {
  if (bytes[0] === 13 && bytes[1] === 10) return 2;
  for (let lf = bytes.indexOf(10, from); lf >= 0; lf = bytes.indexOf(10, lf + 1)) {
    if (bytes[lf + 1] === 13 && bytes[lf + 2] === 10) return lf + 3;
  }
  return undefined;
}
