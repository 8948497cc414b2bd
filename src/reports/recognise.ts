/**
 * Finding the report in a message: attachments are tried by type, name and content.
 *
 * Delivery decides whether a message is examined as a report at all (configured address, authenticated
 * sender).
 *
 * @module
 */
import { leaves, type Part } from "../mail/structure/structure.ts";
import { decodeTransferEncoding } from "../mail/transfer/transfer.ts";
import { type DmarcReport, parseDmarcXml } from "./dmarc.ts";
import { ReportError } from "./errors.ts";
import { parseTlsReport, type TlsReport } from "./tlsrpt.ts";
import { maxReportSize, unpack } from "./unpack.ts";

/** A leaf of a parsed message. */
export interface ReportPart {
  /** type/subtype, in any case, without parameters; "" if none. */
  contentType: string;
  /** "" if none. */
  fileName: string;
  /** Reads the decoded content. Called for candidates only. */
  content: () => Uint8Array;
}

/**
 * The parts of a parsed message.
 * @param read returns bytes of the message
 */
export function* reportParts(
  root: Part,
  read: (from: number, to: number) => Uint8Array,
): Generator<ReportPart> {
  for (const p of leaves(root)) {
    yield {
      contentType: `${p.type}/${p.subtype}`,
      fileName: p.dispositionParams?.filename ?? p.params.name ?? "",
      content() {
        // Base64 adds a third, including line ends.
        if (p.endOffset - p.bodyOffset > 1.5 * maxReportSize) {
          throw new ReportError("limit", `report above ${maxReportSize} bytes`);
        }
        const bytes = decodeTransferEncoding(read(p.bodyOffset, p.endOffset), p.encoding);
        if (!bytes) throw new ReportError("content", `unknown encoding ${p.encoding}`);
        return bytes;
      },
    };
  }
}

/** Parts of a message that are tried. */
const maxCandidates = 10;
const generic = new Set([
  "application/octet-stream",
  "application/zip",
  "application/x-zip-compressed",
  "application/x-zip",
  "application/gzip",
  "application/x-gzip",
  "application/gzip-compressed",
]);
const xmlTypes = new Set(["text/xml", "application/xml", "application/dmarc+xml"]);
const jsonTypes = new Set([
  "application/json",
  "application/tlsrpt+json",
  "application/tlsrpt+gzip",
]);

/**
 * The DMARC aggregate report in a message.
 * @throws ReportError; "absent" if no part could be one
 */
export function findDmarcReport(parts: Iterable<ReportPart>): DmarcReport {
  return first(parts, xmlTypes, [".xml", ".zip", ".gz", ".gzip"], parseDmarcXml, "DMARC report");
}

/**
 * The TLS report in a message.
 * @throws ReportError; "absent" if no part could be one
 */
export function findTlsReport(parts: Iterable<ReportPart>): TlsReport {
  return first(parts, jsonTypes, [".json", ".gz", ".gzip", ".zip"], parseTlsReport, "TLS report");
}

function first<T>(
  parts: Iterable<ReportPart>,
  types: ReadonlySet<string>,
  endings: readonly string[],
  parse: (data: Uint8Array) => T,
  what: string,
): T {
  let failure: ReportError | undefined;
  let tried = 0;
  for (const p of parts) {
    const type = p.contentType.toLowerCase(), name = p.fileName.toLowerCase();
    const named = endings.some((e) => name.endsWith(e));
    if (!types.has(type) && !named && !(generic.has(type) && name === "")) continue;
    if (++tried > maxCandidates) break;
    try {
      return parse(unpack(p.content()));
    } catch (err) {
      if (!(err instanceof ReportError)) throw err;
      failure ??= err;
    }
  }
  throw failure ?? new ReportError("absent", `${what}: no attachment of a fitting type`);
}
