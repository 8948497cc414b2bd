/**
 * A daily check for a newer version (CheckUpdates in mox.conf): a DNS query to the
 * configured domain, and a message to the postmaster, once for each version.
 *
 * @module
 */
import { join } from "node:path";
import { isLater, latestVersion, type Resolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { programVersion } from "../platform/version.ts";
import { deliverToPostmaster, type PostmasterServices } from "./postmaster.ts";

/** Milliseconds between checks, and from the start to the first one. */
const interval = 24 * 3600_000;
const firstAfter = 60_000;

/** In the data folder: the last version reported to the postmaster. */
const notifiedFile = "lastknownversion";

interface Services extends PostmasterServices {
  resolver: Resolver;
}

/**
 * Checks once, and reports to the postmaster a version newer than this one and than any reported before.
 * @returns that version; undefined if there was nothing to report
 * @throws Error if the version can't be looked up
 */
export async function lookForUpdate(services: Services): Promise<string | undefined> {
  const domain = services.config.static.CheckUpdatesDomain;
  const latest = await latestVersion(services.resolver, domain);
  const path = join(services.config.dataDir, notifiedFile);
  const notified = (await Deno.readTextFile(path).catch(() => "")).trim();
  if (!isLater(latest, programVersion) || (notified !== "" && !isLater(latest, notified))) {
    return undefined;
  }
  await deliverToPostmaster(services, `Version ${latest} of the mail server is there`, [
    `This server runs version ${programVersion} of mox for Deno; ${domain} names ${latest} as the latest.`,
    "",
    'Read its release notes, make a backup ("mox backup"), put the new program in place of the old one, and',
    "start the server again: the data are brought up to date by themselves.",
    "",
    "You are told of each version once. CheckUpdates of mox.conf switches this off.",
  ]);
  await writeFileAtomic(path, new TextEncoder().encode(`${latest}\n`));
  return latest;
}

/** Checks every day, if configured. @returns function that stops it */
export function startUpdateChecks(services: Services): () => void {
  const { CheckUpdates, CheckUpdatesDomain } = services.config.static;
  if (!CheckUpdates || CheckUpdatesDomain === "") return () => {};
  const log = new Log("updates");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    timer = setTimeout(look, interval);
    lookForUpdate(services).then(
      (version) => log.info("looked for a newer version", { domain: CheckUpdatesDomain, version }),
      (err) => log.info("looking for a newer version", { err: err as Error }),
    );
  };
  timer = setTimeout(look, firstAfter);
  return () => clearTimeout(timer);
}
