/** Standard output and error as byte streams; the only place that writes them for logs. @module */

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(p: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch {
    // A closed pipe must not stop a mail server: the log line is lost, the mail is not.
  }
}

/** Writes text to standard error; never throws. */
export function writeStderr(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Writes text to standard output; never throws. */
export function writeStdout(text: string): void {
  writeAll(Deno.stdout, text);
}
