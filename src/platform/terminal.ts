/** Reading from the user's terminal. @module */
import { writeStderr } from "./stdio.ts";

/** All of standard input as text. */
export async function readStdin(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}

/** Standard input as bytes. @throws Error if there are more than `max`. */
export async function readStdinBytes(max: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of Deno.stdin.readable) {
    pieces.push(piece);
    size += piece.length;
    if (size > max) throw new Error(`standard input has more than ${max} bytes`);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const p of pieces) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/**
 * Asks for a password, twice (once with `once`, for an existing one) and without echo on a terminal; otherwise
 * reads the first line of standard input.
 * @throws Error if the two don't match or nothing was typed.
 */
export async function readPassword(
  prompt: string,
  o: { once?: boolean } = {},
): Promise<string> {
  if (!Deno.stdin.isTerminal()) {
    const line = (await readStdin()).split(/\r?\n/, 1)[0];
    if (line === "") throw new Error("no password on standard input");
    return line;
  }
  const first = await readHidden(prompt);
  if (o.once) return first;
  const second = await readHidden("again: ");
  if (first !== second) throw new Error("the passwords are not the same");
  return first;
}

async function readHidden(prompt: string): Promise<string> {
  writeStderr(prompt);
  Deno.stdin.setRaw(true);
  try {
    const bytes: number[] = [];
    const buffer = new Uint8Array(64);
    for (;;) {
      const n = await Deno.stdin.read(buffer);
      if (n === null) throw new Error("end of input");
      for (const b of buffer.subarray(0, n)) {
        if (b === 13 || b === 10) return new TextDecoder().decode(new Uint8Array(bytes));
        if (b === 3) throw new Error("interrupted");
        if (b === 127 || b === 8) {
          // Removes a whole character of up to four bytes.
          while (bytes.length > 0 && (bytes.pop()! & 0xc0) === 0x80);
        } else {
          bytes.push(b);
        }
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    writeStderr("\n");
  }
}
