/** Inputs of several commands: the DNS, and messages. @module */
import { loadStatic } from "../config/mod.ts";
import { makeResolver, parseServer, type Resolver } from "../dns/mod.ts";
import type { Outbound } from "../net/mod.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { parentDir } from "../platform/paths.ts";
import { readStdinBytes } from "../platform/terminal.ts";
import { type ReportPart, reportParts } from "../reports/mod.ts";
import { bodyStart, bytesSource, type MessageSource } from "../senderauth/mod.ts";
import { openOutbound } from "../serve/outbound.ts";
import { UsageError } from "./command.ts";
import { findConfigPath } from "./datadir.ts";

/** Bytes of a message that is read into memory. */
export const maxMessage = 200 * 1024 * 1024;

/** The flag read by {@link resolverOf}, with its help. */
export const serverFlag = { server: "" };
export const serverHelp = `
  -server   ask this name server, as in 127.0.0.1 or [::1]:5353; default those of the system`;

/** The resolver to use. @throws UsageError */
export function resolverOf(flags: { server: string }): Resolver {
  if (flags.server === "") return makeResolver();
  const server = parseServer(flags.server);
  if (!server) throw new UsageError(`not the address of a name server: ${flags.server}`);
  return makeResolver({ servers: [server] });
}

/**
 * The server's outgoing connections, with the certificate authorities of its mox.conf; with those of the system if
 * there is no configuration.
 * @throws ConfigError
 */
export async function outboundOf(resolver: Resolver): Promise<Outbound> {
  const path = await findConfigPath("");
  const there = await Deno.stat(path).then(() => true, () => false);
  const config = there
    ? await loadStatic(path)
    : { TLS: { CA: undefined }, AllowedUserNetworks: [] };
  return openOutbound(config, parentDir(path), resolver);
}

/** "with DNSSEC" or not, for display. */
export function dnssec(authenticated: boolean): string {
  return authenticated ? "with DNSSEC" : "without DNSSEC";
}

/** The message in a file; standard input for "-" or no name. Lines that end in LF alone get CRLF. */
export async function readMessage(path: string | undefined): Promise<Uint8Array> {
  const bytes = path === undefined || path === "-"
    ? await readStdinBytes(maxMessage)
    : await Deno.readFile(path);
  return withCrlf(bytes);
}

/** Converts line ends to CRLF. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  let bare = 0;
  for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) {
    if (bytes[i - 1] !== 13) bare++;
  }
  if (bare === 0) return bytes;
  const out = new Uint8Array(bytes.length + bare);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] !== 13) out[n++] = 13;
    out[n++] = bytes[i];
  }
  return out;
}

/** A message in the form for sender authentication. */
export function messageParts(
  bytes: Uint8Array,
): { headerBytes: Uint8Array; message: MessageSource; bodyOffset: number } {
  const bodyOffset = bodyStart(bytes);
  return { headerBytes: bytes.subarray(0, bodyOffset), message: bytesSource(bytes), bodyOffset };
}

/** The parts of a message in a file that could be a report. */
export async function readReportParts(path: string | undefined): Promise<Iterable<ReportPart>> {
  const bytes = await readMessage(path);
  return reportParts(parseMessage(bytes).root, (from, to) => bytes.subarray(from, to));
}
