/** Deleting the oldest messages, if localserve limits their number or age. @module */
import { Log } from "../../log/mod.ts";
import type { CatcherServices } from "./services.ts";

/** Milliseconds between two checks. */
const pause = 2_000;
/** Messages deleted in one check. */
const maxGone = 20_000;

/** Checks periodically. @returns function that stops it */
export function keepSmall(s: Pick<CatcherServices, "mail" | "keep">): () => void {
  const { messages, age } = s.keep;
  if (messages === undefined && age === undefined) return () => {};
  const log = new Log("catcher");
  let ended = false;
  let timer: ReturnType<typeof setTimeout>;
  const look = async () => {
    try {
      await removeOld(s, Date.now());
    } catch (err) {
      log.error("deleting old messages", { err: err as Error });
    }
    if (!ended) timer = setTimeout(look, pause);
  };
  timer = setTimeout(look, pause);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Deletes messages above the limits. @param now milliseconds since the epoch */
export async function removeOld(
  { mail, keep }: Pick<CatcherServices, "mail" | "keep">,
  now: number,
): Promise<void> {
  if (keep.messages !== undefined) {
    const { total } = await mail.counts();
    if (total > keep.messages) await mail.remove(await mail.list(keep.messages, maxGone));
  }
  if (keep.age !== undefined) {
    await mail.remove(await mail.search({ op: "received", before: now - keep.age }));
  }
}
