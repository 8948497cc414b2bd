/** A winmail.dat, made by hand. @module */

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

function u32(...list: number[]): number[] {
  return list.flatMap((n) => [n & 255, n >> 8 & 255, n >> 16 & 255, n >>> 24]);
}
const attribute = (level: number, id: number, data: number[]) => [
  level,
  ...u32(id, data.length),
  ...data,
  0,
  0,
];
const latin1 = (s: string) => [...bytes(`${s}\0`)];
const utf16 = (s: string) =>
  [...s, "\0"].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]);

/** A winmail.dat with two files. */
export const winmail = Uint8Array.from([
  ...u32(0x223e9f78),
  1,
  0,
  ...attribute(1, 0x00089006, u32(0x00010000)),
  ...attribute(2, 0x00069002, Array(14).fill(0)),
  ...attribute(2, 0x00018010, latin1("LONGNA~1.TXT")),
  ...attribute(2, 0x0006800f, [...bytes("first content")]),
  ...attribute(2, 0x00069005, [
    ...u32(3),
    // A number, a named property, and the long name.
    ...[0x03, 0, 0x05, 0x37],
    ...u32(1),
    ...[0x1e, 0, 0x01, 0x80],
    ...Array(16).fill(7),
    ...u32(1, 6),
    ...[97, 0, 98, 0, 0, 0, 0, 0],
    ...u32(1, 2),
    ...[120, 0, 0, 0],
    ...[0x1f, 0, 0x07, 0x37],
    ...u32(1, utf16("Lange Näme.txt").length),
    ...utf16("Lange Näme.txt"),
  ]),
  ...attribute(2, 0x00069002, Array(14).fill(0)),
  ...attribute(2, 0x00018010, latin1("b.bin")),
  ...attribute(2, 0x0006800f, [1, 2, 3]),
]);

/** A property of variable size. */
const property = (type: number, id: number, data: number[]) => [
  ...[type, 0, id & 255, id >> 8],
  ...u32(1, data.length),
  ...data,
  ...Array((4 - data.length % 4) % 4).fill(0),
];

/** A winmail.dat of a message with a text, which has another message attached. */
export function winmailMessage(properties: number[][], attached?: Uint8Array): Uint8Array {
  return Uint8Array.from([
    ...u32(0x223e9f78),
    ...[1, 0],
    ...attribute(1, 0x00069007, u32(1252, 0)),
    ...attribute(1, 0x00018004, latin1("a/b subject")),
    ...attribute(1, 0x00069003, [...u32(properties.length), ...properties.flat()]),
    ...(attached === undefined ? [] : [
      ...attribute(2, 0x00069002, Array(14).fill(0)),
      ...attribute(2, 0x00069005, [
        ...u32(1),
        ...property(0x0d, 0x3701, [...Array(16).fill(7), ...attached]),
      ]),
    ]),
  ]);
}

/** The text of a message: as UTF-16, as HTML, as packed rich text. */
export const bodies = {
  text: (s: string) => property(0x1f, 0x1000, utf16(s)),
  html: (s: string) => property(0x02, 0x1013, [...bytes(s)]).with(1, 1),
  rtf: (packed: Uint8Array) => property(0x02, 0x1009, [...packed]).with(1, 1),
};

/** The first example of MS-OXRTFCP §3. */
export const packedRtf = Uint8Array.fromHex(
  "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
);
