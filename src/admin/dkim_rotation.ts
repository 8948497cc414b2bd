/**
 * Rotating a domain's DKIM keys step by step: new keys are created and published, they sign once their records are
 * visible, and the old ones are withdrawn when no message signed by them is in transit any more. Each step can be
 * repeated after a crash; a file in the data folder records a domain's progress.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import type { Config } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import {
  DnsWriteError,
  providerFor,
  recordsThere,
  type WriteServices,
  writeZone,
} from "../dnsupdate/provider.ts";
import type { ZoneRecord } from "../dnsupdate/records.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { privateKeyFromPem } from "../platform/private_key.ts";
import { type DkimAlgorithm, dkimRecordText } from "./dkim_keys.ts";
import { addDkim, removeDkim, setDkimSign } from "./domain_settings.ts";
import { domainName } from "./domains.ts";
import { AdminError } from "./errors.ts";

const file = "dkimrotation.json";
/** Milliseconds that old records stay after the last message signed by their keys: it may be queued for days. */
const keepOld = 7 * 86_400_000;

const Rotation = v.object({
  /** publish: keys are created; wait: until their records are visible; used: they sign, the old ones are still published. */
  step: v.picklist(["publish", "wait", "used"]),
  selectors: v.array(v.string()),
  old: v.array(v.string()),
  /** Milliseconds since the epoch: of the start, and of the step. */
  began: v.number(),
  since: v.number(),
  /** Why the step isn't done yet; "" if it only takes time. */
  problem: v.string(),
});
export type Rotation = v.InferOutput<typeof Rotation>;
const State = v.object({
  running: v.record(v.string(), Rotation),
  /** When domains last got new keys. */
  done: v.record(v.string(), v.number()),
});
type State = v.InferOutput<typeof State>;

/** Events for the log and the postmaster. */
export interface RotationNews {
  domain: string;
  text: string;
  /** Action is required. */
  lines?: string[];
}

async function read(dataDir: string): Promise<State> {
  try {
    return v.parse(State, JSON.parse(await Deno.readTextFile(join(dataDir, file))));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return { running: {}, done: {} };
    throw new AdminError(
      `${join(dataDir, file)} can't be read: remove it, and rotations under way are forgotten`,
      { cause: err },
    );
  }
}

async function write(dataDir: string, state: State): Promise<void> {
  await writeFileAtomic(
    join(dataDir, file),
    new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`),
  );
}

/** Changes of the file, one at a time. */
let last: Promise<unknown> = Promise.resolve();
function oneByOne<T>(run: () => Promise<T>): Promise<T> {
  const result = last.then(run, run);
  last = result.catch(() => {});
  return result;
}

/** Current rotations, by domain. */
export async function dkimRotations(config: Config): Promise<Record<string, Rotation>> {
  return (await read(config.dataDir)).running;
}

/** TXT records of selectors. */
async function recordsOf(
  config: Config,
  domain: string,
  selectors: readonly string[],
): Promise<ZoneRecord[]> {
  const entry = config.domain(domain);
  const records: ZoneRecord[] = [];
  for (const name of selectors) {
    const s = entry?.config.DKIM.Selectors.get(name);
    if (!s) continue;
    const pem = await Deno.readTextFile(config.configPath(s.PrivateKeyFile));
    records.push({
      name: `${name}._domainkey.${entry!.name.ascii}`,
      type: "TXT",
      data: dkimRecordText(pem, s.Hash === "" ? undefined : s.Hash),
    });
  }
  return records;
}

async function algorithmOf(config: Config, path: string): Promise<DkimAlgorithm> {
  const key = privateKeyFromPem(await Deno.readTextFile(config.configPath(path)));
  return key.asymmetricKeyType === "ed25519" ? "ed25519" : "rsa2048";
}

/** Creates new keys next to the signing ones, of the same kinds. @throws AdminError */
export function beginDkimRotation(
  config: Config,
  domain: string,
  now = Date.now(),
): Promise<Rotation> {
  return oneByOne(async () => {
    const { unicode, ascii } = domainName(domain);
    const entry = config.domain(ascii);
    if (!entry) throw new AdminError(`no domain ${unicode}`);
    const state = await read(config.dataDir);
    if (state.running[unicode]) {
      throw new AdminError(`the keys of ${unicode} are being changed already`);
    }
    const old = [...entry.config.DKIM.Sign];
    if (old.length === 0) {
      throw new AdminError(`${unicode} doesn't sign, so there is nothing to change`);
    }
    const algorithms = new Set<DkimAlgorithm>();
    for (const name of old) {
      algorithms.add(
        await algorithmOf(config, entry.config.DKIM.Selectors.get(name)!.PrivateKeyFile),
      );
    }
    const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "");
    const selectors: string[] = [];
    for (const algorithm of algorithms) {
      const letter = algorithm === "ed25519" ? "e" : "r";
      let name = `${letter}${day}`;
      for (let i = 2; entry.config.DKIM.Selectors.has(name); i++) name = `${letter}${day}n${i}`;
      await addDkim(config, unicode, name, algorithm);
      selectors.push(name);
    }
    const rotation: Rotation = {
      step: "publish",
      selectors,
      old,
      began: now,
      since: now,
      problem: "",
    };
    state.running[unicode] = rotation;
    await write(config.dataDir, state);
    return rotation;
  });
}

/** Advances all rotations as far as possible now, and starts those that are due. */
export function continueDkimRotations(
  services: WriteServices,
  resolver: Resolver,
  now = Date.now(),
): Promise<RotationNews[]> {
  return beginDue(services.config, now).then((begun) =>
    oneByOne(async () => {
      const news = [...begun];
      const state = await read(services.config.dataDir);
      for (const [domain, r] of Object.entries(state.running)) {
        const before = JSON.stringify(r);
        try {
          const done = await step(services, resolver, domain, r, now, news);
          if (done) {
            delete state.running[domain];
            state.done[domain] = now;
          }
        } catch (err) {
          r.problem = err instanceof Error ? err.message : String(err);
          services.log.warn("DKIM keys of a domain are not changed yet", {
            domain,
            why: r.problem,
          });
        }
        if (state.running[domain] === undefined || JSON.stringify(r) !== before) {
          await write(services.config.dataDir, state);
        }
      }
      return news;
    })
  );
}

/** Domains with RotateAfter whose keys are that old. */
async function beginDue(config: Config, now: number): Promise<RotationNews[]> {
  const news: RotationNews[] = [];
  const state = await read(config.dataDir);
  for (const [name, d] of config.dynamic.Domains) {
    const { RotateAfter, Sign, Selectors } = d.DKIM;
    if (RotateAfter === 0 || Sign.length === 0 || state.running[name]) continue;
    // One node starts, and passes the keys to the others.
    if (!config.isDomainHere(name)) continue;
    let since = state.done[name] ?? 0;
    for (const s of Sign) {
      const path = config.configPath(Selectors.get(s)?.PrivateKeyFile ?? "");
      since = Math.max(since, (await Deno.stat(path)).mtime?.getTime() ?? 0);
    }
    if (now - since < RotateAfter) continue;
    await beginDkimRotation(config, name, now);
    news.push({ domain: name, text: "new DKIM keys are made, as the old ones are old enough" });
  }
  return news;
}

/** One step, or several that need no wait. True if everything is done. */
async function step(
  services: WriteServices,
  resolver: Resolver,
  domain: string,
  rotation: Rotation,
  now: number,
  news: RotationNews[],
): Promise<boolean> {
  const { config } = services;
  const entry = config.domain(domain);
  if (!entry) {
    news.push({ domain, text: "the domain is gone, and so is the change of its DKIM keys" });
    return true;
  }
  const provided = providerFor(config, entry.name.ascii) !== undefined;
  if (rotation.step === "publish") {
    const add = await recordsOf(config, domain, rotation.selectors);
    if (provided) await writeZone(services, entry.name.ascii, { remove: [], add });
    else {
      news.push({
        domain,
        text: "new DKIM keys have to be published",
        lines: [
          "Add these records to the zone. The keys sign as soon as they are seen:",
          "",
          ...add.map((a) => `${a.name}. TXT ${JSON.stringify(a.data)}`),
        ],
      });
    }
    Object.assign(rotation, { step: "wait", since: now, problem: "" });
  }
  if (rotation.step === "wait") {
    for (const want of await recordsOf(config, domain, rotation.selectors)) {
      const there = await recordsThere(resolver, want.name, "TXT");
      if (!there.includes(want.data)) {
        rotation.problem = `${want.name} is not seen in the DNS yet`;
        return false;
      }
    }
    for (const name of rotation.selectors) await setDkimSign(config, domain, name, true);
    for (const name of rotation.old) {
      if (config.domain(domain)?.config.DKIM.Selectors.has(name)) {
        await setDkimSign(config, domain, name, false);
      }
    }
    Object.assign(rotation, { step: "used", since: now, problem: "" });
    news.push({ domain, text: `DKIM keys ${rotation.selectors.join(", ")} sign from now on` });
    return false;
  }
  if (now - rotation.since < keepOld) return false;
  const old = rotation.old.filter((name) => config.domain(domain)!.config.DKIM.Selectors.has(name));
  const remove = await recordsOf(config, domain, old);
  if (provided) await writeZone(services, entry.name.ascii, { remove, add: [] });
  for (const name of old) await removeDkim(config, domain, name);
  news.push({
    domain,
    text: `DKIM keys ${old.join(", ")} are withdrawn`,
    lines: provided || remove.length === 0 ? undefined : [
      "Remove these records from the zone, as their keys are not used any more:",
      "",
      ...remove.map((a) => `${a.name}. TXT`),
    ],
  });
  return true;
}

export { DnsWriteError };
