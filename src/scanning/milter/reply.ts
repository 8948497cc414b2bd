/** A custom answer chosen by a milter (SMFIR_REPLYCODE). @module */
import { ScanError, type ScanReply } from "../types.ts";
import { strings } from "./packets.ts";

/** Characters of its text; the rest is cut off. */
const maxText = 400;

/**
 * Parses "550 5.7.1 text"; the texts of several lines are joined.
 * @throws ScanError without the code of a refusal
 */
export function replyOf(data: Uint8Array): ScanReply {
  const [whole = ""] = strings(data);
  const lines = whole.split(/\r?\n/).filter((l) => l !== "");
  const first = /^([45]\d\d)(?:[ -](?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?|$)/.exec(lines[0] ?? "");
  if (!first) {
    throw new ScanError(
      `it answered with a code that refuses nothing: ${JSON.stringify(whole.slice(0, 80))}`,
    );
  }
  const text = lines.map((l) => l.replace(/^\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3} ?)?/, ""))
    .join(" ").replace(/[^ -~]/g, " ").trim().slice(0, maxText);
  const code = Number(first[1]);
  // The class of an enhanced code must match the answer (RFC 3463 §2).
  return {
    code,
    enhanced: first[2]?.replace(/^\d\./, "") ?? "7.1",
    text: text || (code < 500 ? "try again later" : "message refused"),
  };
}
