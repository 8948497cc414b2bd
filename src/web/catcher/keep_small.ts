/** Deleting the oldest messages, where localserve keeps so many or so long only. @module */
import { Log } from "../../log/mod.ts";
import type { CatcherServices } from "./services.ts";

/** Milliseconds between two looks. */
const pause = 2_000;
/** Messages that go in one look. */
const maxGone = 20_000;

/** Looks again and again; returns what ends that. */
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

/** Deletes what is too much or too old. @param now milliseconds since the epoch */
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
