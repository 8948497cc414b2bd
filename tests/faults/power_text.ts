/** What the two sides of the power-cut test agree on. @module */

/** A line of the file `acks`: where messages are going to be, or (done) are promised to be. */
export interface Note {
  ids: readonly string[];
  /** A mailbox, "queue" or "gone". */
  where: string;
  done: boolean;
}

/** The message of an id. */
export function powerText(id: string): string {
  return `From: a@example.org\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\n` +
    `${id} and more of it\r\n`.repeat(100);
}
