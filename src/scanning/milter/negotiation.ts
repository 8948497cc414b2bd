/** Option negotiation with a milter (SMFIC_OPTNEG). @module */
import { ScanError } from "../types.ts";
import { Action, milterVersion, type Packet, packet, Step, strings, uint32 } from "./packets.ts";

/** The negotiated options. */
export interface Agreed {
  version: number;
  /** Bits of {@link Action} that the milter may use. */
  actions: number;
  /** Bits of {@link Step}. */
  steps: number;
  /** Requested macros, by stage: 0 connect, 1 helo, 2 mail, 3 rcpt, 4 data, 5 end of message, 6 end of header. */
  macros: Map<number, string[]>;
}

/** Everything supported here. */
const offeredActions = Object.values(Action).reduce((a, b) => a | b, 0);
const offeredSteps = Object.values(Step).reduce((a, b) => a | b, 0);

/** Stages that have macros. */
const stages = 7;

/** The offer: the first packet of a connection. */
export function offer(): Uint8Array {
  return packet("O", uint32(milterVersion, offeredActions, offeredSteps));
}

/** Parses the milter's answer. @throws ScanError if it is incompatible */
export function readAgreement(answer: Packet): Agreed {
  if (answer.kind !== "O" || answer.data.length < 12) {
    throw new ScanError(`it answered the offer of options with ${named(answer.kind)}`);
  }
  const { data } = answer;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [version, actions, steps] = [0, 4, 8].map((at) => view.getUint32(at));
  if (version < 2 || version > milterVersion) {
    throw new ScanError(`it speaks version ${version}; 2 to ${milterVersion} are spoken here`);
  }
  const beyond = (actions & ~offeredActions) >>> 0;
  if (beyond !== 0) {
    throw new ScanError(`it wants to do what was not offered: actions 0x${beyond.toString(16)}`);
  }
  // Chunk sizes (0x10000000 and above) only concern the milter's library.
  return {
    version,
    actions,
    steps: steps & offeredSteps,
    macros: macroLists(data.subarray(12)),
  };
}

function macroLists(data: Uint8Array): Map<number, string[]> {
  const lists = new Map<number, string[]>();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 4 < data.length && lists.size < stages;) {
    const stage = view.getUint32(at);
    const end = data.indexOf(0, at + 4);
    if (end < 0 || stage >= stages) break;
    const [text] = strings(data.subarray(at + 4, end + 1));
    // Names are in braces or single letters, with or without commas.
    lists.set(stage, text.split(/[ ,]+/).filter((n) => n !== "").slice(0, 100));
    at = end + 1;
  }
  return lists;
}

/** A packet's letter for a log. */
export function named(kind: string): string {
  return /^[!-~]$/.test(kind) ? `packet "${kind}"` : `packet 0x${kind.charCodeAt(0).toString(16)}`;
}
