/** Changes requested by a milter at the end of a message. @module */
import { Action, type Packet, strings } from "./packets.ts";
import { ScanError, scanLimits, type ScanResult } from "../types.ts";
import { checkedField } from "../fields.ts";
import { named } from "./negotiation.ts";

/** Receives the bytes of a new body. */
export interface BodySink {
  /** @throws ScanError if it gets larger than a message is allowed to be */
  write(bytes: Uint8Array): Promise<void>;
}

/** The action required for a packet, by its letter. */
const needed: Readonly<Record<string, number>> = {
  "+": Action.AddRecipient,
  "2": Action.AddRecipientWithParameters,
  "-": Action.DeleteRecipient,
  b: Action.ChangeBody,
  h: Action.AddHeaders,
  i: Action.AddHeaders,
  m: Action.ChangeHeaders,
  e: Action.ChangeFrom,
  q: Action.Quarantine,
};

/** True if the packet requests a change. */
export function isChange(kind: string): boolean {
  return Object.hasOwn(needed, kind);
}

/**
 * Adds a change to the result.
 * @param actions negotiated actions of the milter
 * @throws ScanError for actions that were not negotiated, invalid content, and too many changes
 */
export async function noteChange(
  packet: Packet,
  actions: number,
  result: ScanResult,
  body: () => Promise<BodySink>,
): Promise<void> {
  if ((actions & needed[packet.kind]) === 0) {
    throw new ScanError(`it changes what it did not ask leave for: ${named(packet.kind)}`);
  }
  switch (packet.kind) {
    case "b":
      return await (await body()).write(packet.data);
    case "+":
    case "2":
      result.addRecipients.push(addressIn(packet));
      break;
    case "-":
      result.removeRecipients.push(addressIn(packet));
      break;
    case "e":
      result.mailFrom = addressIn(packet);
      break;
    case "q":
      result.quarantine = strings(packet.data)[0] ?? "";
      break;
    case "h": {
      const [name = "", value = ""] = strings(packet.data);
      result.headers.push({ kind: "add", ...checkedField(name, value) });
      break;
    }
    default: {
      if (packet.data.length < 4) throw new ScanError(`its ${named(packet.kind)} is cut off`);
      const index = new DataView(packet.data.buffer, packet.data.byteOffset).getUint32(0);
      const [name = "", value = ""] = strings(packet.data.subarray(4));
      const field = checkedField(name, value);
      if (packet.kind === "m") {
        // Counted from 1; 0 means the first, as in sendmail.
        result.headers.push({ kind: "change", occurrence: Math.max(1, index), ...field });
      } else {
        // Position 0 is that of this server's Received, in front of the message: both 0 and 1 are the top.
        result.headers.push({ kind: "insert", index: Math.max(0, index - 1), ...field });
      }
    }
  }
  const bytes = result.headers.reduce((n, h) => n + ("value" in h ? h.value.length : 0), 0);
  if (result.headers.length > scanLimits.headerChanges || bytes > scanLimits.headerBytes) {
    throw new ScanError("it changes more of the header than one may");
  }
  if (result.addRecipients.length + result.removeRecipients.length > scanLimits.recipients) {
    throw new ScanError("it changes more recipients than one may");
  }
}

function addressIn(packet: Packet): string {
  const address = (strings(packet.data)[0] ?? "").replace(/^<|>$/g, "");
  // deno-lint-ignore no-control-regex
  if (address.length > 320 || /[\u0000-\u0020\u007f<>]/.test(address)) {
    throw new ScanError(`its ${named(packet.kind)} has no address`);
  }
  return address;
}
