/**
 * The parts of a report about a message (multipart/report, RFC 6522): the machine-readable part, and the
 * message concerned, or its header.
 *
 * @module
 */
import { type HeaderField, splitHeader } from "../header/header.ts";
import { parseMessage, type Part } from "../structure/structure.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";

/** A report without its human-readable part. */
export interface ReportParts {
  /** The machine-readable part, decoded. */
  content: Uint8Array;
  /** Header fields of the message concerned; empty if it isn't quoted. */
  original: HeaderField[];
}

/**
 * The parts of a report of one of the types (the value of report-type, and the subtype of "message/");
 * undefined if the message is not one. Never fails, and is linear.
 */
export function reportParts(
  message: Uint8Array,
  types: readonly string[],
): ReportParts | undefined {
  const { root } = parseMessage(message);
  if (root.type !== "multipart" || root.subtype !== "report") return undefined;
  const reportType = root.params["report-type"]?.toLowerCase();
  if (reportType !== undefined && !types.includes(reportType)) return undefined;
  const part = root.parts.find((p) => p.type === "message" && types.includes(p.subtype));
  if (!part) return undefined;
  return { content: body(message, part), original: originalHeader(message, root, part) };
}

function body(message: Uint8Array, part: Part): Uint8Array {
  const raw = message.subarray(part.bodyOffset, part.endOffset);
  return decodeTransferEncoding(raw, part.encoding) ?? raw;
}

/** The header of the reported message, from the parts after the machine-readable one. */
function originalHeader(message: Uint8Array, root: Part, machine: Part): HeaderField[] {
  for (const p of root.parts.slice(root.parts.indexOf(machine) + 1)) {
    if (p.message?.header) return splitHeader(p.message.header);
    if (quoting.has(`${p.type}/${p.subtype}`)) return splitHeader(body(message, p));
  }
  return [];
}

const quoting = new Set([
  "message/rfc822",
  "message/global",
  "text/rfc822-headers",
  "message/global-headers",
]);
