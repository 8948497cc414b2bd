/**
 * The stored form of a message's structure: JSON with the data for reading its parts, so that they are found
 * without parsing the message again.
 *
 * @module
 */
import type { Part } from "./structure.ts";

type Packed = [number, number, number, number, string, Record<string, unknown>?];

/**
 * The stored structure: only the data for reading parts. `shift` bytes will be put before the message and
 * become part of its header.
 */
export function packStructure(part: Part, shift = 0): string {
  return JSON.stringify(pack(part, shift, true));
}

function pack(part: Part, shift: number, root: boolean): Packed {
  const more: Record<string, unknown> = {};
  const params = Object.entries(part.params).filter(([k]) => k !== "boundary");
  if (params.length > 0) more.p = Object.fromEntries(params);
  if (part.encoding !== "7bit") more.e = part.encoding;
  if (part.id) more.i = part.id;
  if (part.disposition) more.d = part.disposition;
  if (part.dispositionParams && Object.keys(part.dispositionParams).length > 0) {
    more.dp = part.dispositionParams;
  }
  if (part.parts.length > 0) more.c = part.parts.map((c) => pack(c, shift, false));
  if (root && part.hasNul) more.z = 1;
  if (part.message) more.m = pack(part.message, shift, false);
  const packed: Packed = [
    root ? part.headerOffset : part.headerOffset + shift,
    part.bodyOffset + shift,
    part.endOffset + shift,
    part.lines,
    `${part.type}/${part.subtype}`,
  ];
  if (Object.keys(more).length > 0) packed.push(more);
  return packed;
}

/** Parses the result of {@link packStructure}. */
export function unpackStructure(s: string): Part {
  return unpack(JSON.parse(s) as Packed);
}

function unpack(packed: Packed): Part {
  const more = packed[5] ?? {};
  const slash = packed[4].indexOf("/");
  const p: Part = {
    headerOffset: packed[0],
    bodyOffset: packed[1],
    endOffset: packed[2],
    lines: packed[3],
    type: packed[4].slice(0, slash),
    subtype: packed[4].slice(slash + 1),
    params: (more.p as Record<string, string> | undefined) ?? {},
    encoding: (more.e as string | undefined) ?? "7bit",
    parts: ((more.c as Packed[] | undefined) ?? []).map(unpack),
  };
  // As is the rule by now: a multipart without parts is a text.
  if (p.type === "multipart" && p.parts.length === 0) [p.type, p.subtype] = ["text", "plain"];
  if (more.z) p.hasNul = true;
  if (more.i) p.id = more.i as string;
  if (more.d) p.disposition = more.d as string;
  if (more.dp) p.dispositionParams = more.dp as Record<string, string>;
  if (more.m) p.message = unpack(more.m as Packed);
  return p;
}
