/**
 * Bounds for the data that another IMAP server sends: users choose the server, and it may try to fill this
 * server's memory.
 *
 * @module
 */
import type { ImapFlow } from "imapflow";
import { maxMessage } from "./sources.ts";

/** A retry would not help. */
export class Refused extends Error {
  override name = "Refused";
}

/** Bytes of a line; the numbers of a million messages fit. */
const maxLine = 8 * 1024 * 1024;
/** Bytes of the answers to one command, which are kept until its end: 20,000 mailboxes fit. */
const maxAnswers = 4 * 1024 * 1024;
/** Milliseconds between checks of how much has come. */
const lookEach = 10;

/** The library's own bounds for a line, a literal and one response with its literals. */
export const imapBounds = {
  maxLineLength: maxLine,
  maxLiteralSize: maxMessage,
  maxResponseSize: maxMessage + maxLine,
  maxResponseTokens: 100_000,
} as const;

const tooLarge = ["LineTooLarge", "LiteralTooLarge", "ResponseTooLarge", "TooManyTokens"];
/** True for an error from the library's bounds. */
export const isTooLarge = (err: unknown) =>
  tooLarge.includes((err as { code?: string }).code ?? "");

export const answersTooLarge = (cause: unknown) =>
  new Refused("the server's answers are too large", { cause });

/**
 * Runs a command whose answers are kept in memory until its end.
 * @param most bytes of the answers
 * @throws Refused if the server sends more than that, or more than one answer may have; the connection is
 * closed then
 */
export async function inBounds<T>(
  client: ImapFlow,
  run: () => Promise<T>,
  bytes: number = maxAnswers,
): Promise<T> {
  const before = client.stats().received;
  let over = false;
  const watch = setInterval(() => {
    if (over || client.stats().received - before <= bytes) return;
    over = true;
    client.close();
  }, lookEach);
  const failed = (err: unknown) => {
    if (isTooLarge(err)) over = true;
  };
  client.on("error", failed);
  try {
    return await run();
  } catch (err) {
    failed(err);
    if (!over || err instanceof Refused) throw err;
    throw answersTooLarge(err);
  } finally {
    client.off("error", failed);
    clearInterval(watch);
  }
}
