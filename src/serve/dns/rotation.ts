/** Carries on changes of DKIM keys in the running server. @module */
import { continueDkimRotations } from "../../admin/dkim_rotation.ts";
import type { Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import { deliverToPostmaster, type PostmasterServices } from "../postmaster.ts";

/** Milliseconds between checks, and until the first. */
const interval = 10 * 60_000;
const first = 30_000;

export interface RotationOptions extends PostmasterServices {
  /** A resolver without a cache. */
  resolver: () => Resolver;
  outbound: Outbound;
  /** Pushes domains.conf to the other nodes. @throws Error if one of them doesn't accept it */
  push?: () => Promise<void>;
}

/**
 * Checks all rotations once, and reports to the postmaster what was done. Other nodes get the new signing keys a week
 * before the old ones are withdrawn.
 */
export async function goOnWithRotations(options: RotationOptions, now = Date.now()): Promise<void> {
  const log = new Log("dkim");
  const news = await continueDkimRotations({ ...options, log }, options.resolver(), now);
  let failed = "";
  if (news.length > 0) {
    await options.push?.().catch((err) => {
      log.error("giving changed DKIM keys to the other nodes", { err });
      failed = (err as Error).message;
    });
  }
  const more = failed === ""
    ? []
    : ["Not all nodes have taken the change of domains.conf:", failed, ""];
  for (const { domain, text, lines } of news) {
    log.info(text, { domain });
    await deliverToPostmaster(options, `${domain}: ${text}`, [
      `Domain ${domain}: ${text}.`,
      "",
      ...more,
      ...lines ?? [],
    ]);
  }
}

/** Checks periodically. @returns function that stops it */
export function watchRotations(options: RotationOptions): () => Promise<void> {
  let ended = false;
  let running: Promise<void> | undefined;
  const log = new Log("dkim");
  const sleep = (ms: number) => {
    if (ended) return;
    timer = setTimeout(() => {
      running = goOnWithRotations(options)
        .catch((err) => log.error("changing DKIM keys", { err: err as Error }))
        .finally(() => sleep(interval));
    }, ms);
    Deno.unrefTimer(timer as unknown as number);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  sleep(first);
  return async () => {
    ended = true;
    clearTimeout(timer);
    await running;
  };
}
