/** Messages packed as Dovecot and others pack them. @module */
import { Buffer } from "node:buffer";

/** What is packed with xz and bzip2. */
export const packedText = "From: ann@example.org\r\nSubject: packed\r\n\r\n" +
  `${Array(5).fill("same words").join(", ")}, gr\u00fc\u00dfe\r\n`;

const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

/** 5,001 times x: one literal, and a copy of it that reaches into itself. */
const block = [0x1f, 0x78, 1, 0, ...Array(19).fill(255), 4981 - 19 * 255, 0];

export const packed = {
  xz: bytes(
    "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4ABuAEVdACMcieb317Wd3pNqPGNL9gfjVpATYbIqA2pAErrxwSrBAH7k4nJGFZatR/EQ" +
      "wmb11Vc4VZr1kW+nhpFugFpOCL+8Li2PQAAAAAAZR1A0AAFdb/vqnvKQQpkNAQAAAAABWVo=",
  ),
  bzip2: bytes(
    "QlpoOTFBWSZTWbm+MhoAAA7frAASQAUAEEEACAA+n97AAACABAgAIABUMqMTJkyMgYJoMlGEYQNDTagIBKeTMHogDCKkJTrh4q4j" +
      "ua0gFI8kQtl5dCy72eDLJdyK6wWDalSFAevugjvAxD8XckU4UJC5vjIa",
  ),
  lz4: Uint8Array.from([
    ...new TextEncoder().encode("Dovecot-LZ4\r*"),
    ...[0x9b, 0xc5, 0, 1, 0, 0],
    ...[0, 0, 0, block.length],
    ...block,
  ]),
};
