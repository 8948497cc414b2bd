/**
 * The parts of a report about a message (multipart/report, RFC 6522): one that programs read, and the
 * message that it is about, or its header.
 *
 * @module
 */
import { type HeaderField, splitHeader } from "../header/header.ts";
import { parseMessage, type Part } from "../structure/structure.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";

/** A report, apart from what people read. */
export interface ReportParts {
  /** The part that programs read, decoded. */
  content: Uint8Array;
  /** Header fields of the message that it is about; none if it isn't quoted. */
  original: HeaderField[];
}

/**
 * The parts of a report of one of the types (the value of report-type, and what follows "message/");
 * undefined if the message is none. Total and linear.
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

/** The header of the message that is reported on, from the parts after the one for programs. */
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
