/** Standard output and error as byte streams; the only place that writes them for logs. @module */

const encoder = new TextEncoder();

function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  data: string | Uint8Array,
): void {
  let bytes = typeof data === "string" ? encoder.encode(data) : data;
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

/** Writes text or bytes to standard output; never throws. */
export function writeStdout(data: string | Uint8Array): void {
  writeAll(Deno.stdout, data);
}

/** Whether standard output is a terminal. */
export function stdoutIsTerminal(): boolean {
  return Deno.stdout.isTerminal();
}
