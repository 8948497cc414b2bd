/**
 * A message's structure as it is stored: JSON of what reading its parts needs, so that they are found without
 * parsing the message again.
 *
 * @module
 */
import type { Part } from "./structure.ts";

type Packed = [number, number, number, number, string, Record<string, unknown>?];

/**
 * Structure as stored: only what reading parts needs. `shift` bytes will stand before the message; they
 * become part of its header.
 */
export function packStructure(p: Part, shift = 0): string {
  return JSON.stringify(pack(p, shift, true));
}

function pack(p: Part, shift: number, root: boolean): Packed {
  const more: Record<string, unknown> = {};
  const params = Object.entries(p.params).filter(([k]) => k !== "boundary");
  if (params.length > 0) more.p = Object.fromEntries(params);
  if (p.encoding !== "7bit") more.e = p.encoding;
  if (p.id) more.i = p.id;
  if (p.disposition) more.d = p.disposition;
  if (p.dispositionParams && Object.keys(p.dispositionParams).length > 0) {
    more.dp = p.dispositionParams;
  }
  if (p.parts.length > 0) more.c = p.parts.map((c) => pack(c, shift, false));
  if (root && p.hasNul) more.z = 1;
  if (p.message) more.m = pack(p.message, shift, false);
  const packed: Packed = [
    root ? p.headerOffset : p.headerOffset + shift,
    p.bodyOffset + shift,
    p.endOffset + shift,
    p.lines,
    `${p.type}/${p.subtype}`,
  ];
  if (Object.keys(more).length > 0) packed.push(more);
  return packed;
}

/** Reads what {@link packStructure} wrote. */
export function unpackStructure(s: string): Part {
  return unpack(JSON.parse(s) as Packed);
}

function unpack(a: Packed): Part {
  const more = a[5] ?? {};
  const slash = a[4].indexOf("/");
  const p: Part = {
    headerOffset: a[0],
    bodyOffset: a[1],
    endOffset: a[2],
    lines: a[3],
    type: a[4].slice(0, slash),
    subtype: a[4].slice(slash + 1),
    params: (more.p as Record<string, string> | undefined) ?? {},
    encoding: (more.e as string | undefined) ?? "7bit",
    parts: ((more.c as Packed[] | undefined) ?? []).map(unpack),
  };
  // As it is taken since: a multipart without parts is a text.
  if (p.type === "multipart" && p.parts.length === 0) [p.type, p.subtype] = ["text", "plain"];
  if (more.z) p.hasNul = true;
  if (more.i) p.id = more.i as string;
  if (more.d) p.disposition = more.d as string;
  if (more.dp) p.dispositionParams = more.dp as Record<string, string>;
  if (more.m) p.message = unpack(more.m as Packed);
  return p;
}
