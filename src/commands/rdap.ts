/** `mox rdap domainage`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { organizationalDomain } from "../store/messages/describe.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { outboundOf, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

/** IANA's table of the servers of each top-level domain (RFC 9224). */
const bootstrap = "https://data.iana.org/rdap/dns.json";
const dayMs = 24 * 3600_000;

type Get = (url: string) => Promise<unknown>;

export const rdapDomainage: Command = {
  name: "rdap domainage",
  usage: "rdap domainage [-server address] [-bootstrap url] domain",
  summary: "Show when a domain was registered",
  help: `
Asks the registry of a domain by RDAP (RFC 9082) when it was registered: a domain of a few days is rarely one
that good mail comes from. For a name below a registered domain, that one is asked about.
${serverHelp}
  -bootstrap  where the table of registries is, default ${bootstrap}`,
  async run(args) {
    const { flags, args: [name] } = parseFlags(args, { ...serverFlag, bootstrap }, {
      min: 1,
      max: 1,
    });
    if (!URL.canParse(flags.bootstrap)) throw new UsageError(`not a URL: ${flags.bootstrap}`);
    const domain = registered(name);
    const outbound = await outboundOf(resolverOf(flags));
    const get: Get = async (url) => {
      const answer = await outbound.request({
        url: new URL(url),
        headers: { Accept: "application/rdap+json, application/json" },
        rule: undefined,
        redirects: 3,
        maxBytes: 4 * 1024 * 1024,
      });
      if (answer.status !== 200) throw new Error(`${url} answers with ${answer.status}`);
      try {
        return JSON.parse(new TextDecoder().decode(answer.body));
      } catch (err) {
        throw new Error(`${url} does not answer with JSON`, { cause: err });
      }
    };
    const server = serverFor(await get(flags.bootstrap), domain);
    if (server === undefined) {
      throw new Error(`the registry of .${domain.split(".").at(-1)} has no RDAP server`);
    }
    const url = `${server.replace(/\/*$/, "/")}domain/${encodeURIComponent(domain)}`;
    const at = registration(await get(url));
    if (at === undefined) throw new Error(`${url} does not say when it was registered`);
    const days = Math.floor((Date.now() - at.getTime()) / dayMs);
    writeStdout(`${domain}: registered ${at.toISOString().slice(0, 10)}, ${days} days ago\n`);
  },
};

/** The registered domain, in ASCII. @throws UsageError */
function registered(name: string): string {
  const url = `http://${name}/`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : "";
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(ascii)) throw new UsageError(`not a domain: ${name}`);
  return organizationalDomain(ascii);
}

const record = (v: unknown): Record<string, unknown> =>
  typeof v === "object" && v !== null ? v as Record<string, unknown> : {};
const list = (v: unknown): unknown[] => Array.isArray(v) ? v : [];

/** The registry's server for the longest matching suffix in the table (RFC 9224 §4). HTTPS is preferred to HTTP. */
function serverFor(table: unknown, domain: string): string | undefined {
  let best: { length: number; url: string } | undefined;
  for (const service of list(record(table).services)) {
    const [endings, urls] = list(service).map((l) => list(l).filter((s) => typeof s === "string"));
    for (const ending of endings ?? []) {
      const at = `.${ending.toLowerCase()}`;
      if (!domain.endsWith(at) || at.length <= (best?.length ?? 0)) continue;
      const url = urls?.find((u) => u.startsWith("https:")) ??
        urls?.find((u) => u.startsWith("http:"));
      if (url !== undefined) best = { length: at.length, url };
    }
  }
  return best?.url;
}

/** The event "registration" of a domain (RFC 9083 §4.5). */
function registration(answer: unknown): Date | undefined {
  for (const event of list(record(answer).events).map(record)) {
    if (event.eventAction !== "registration" || typeof event.eventDate !== "string") continue;
    const at = new Date(event.eventDate);
    if (!Number.isNaN(at.getTime())) return at;
  }
  return undefined;
}
