/**
 * DNS block lists that a new server may use: which exist, on what terms, and whether they answer here.
 *
 * @module
 */
import { dnsblChecker, type Resolver } from "../dns/mod.ts";

/** Known lists of domains; all others are treated as lists of IP addresses. */
const domainLists = new Set([
  "dbl.spamhaus.org",
  "multi.surbl.org",
  "uribl.spameatingmonkey.net",
  "multi.uribl.com",
]);

/** The choice, in the form printed by quickstart. */
export const blockListChoice =
  `Block lists are not asked. Asked about unknown senders only, they keep off much of the spam of a server's
first days, while its filter has nothing to go by; their operators see which addresses write to you. To have
them, put names into mox.conf, below SMTP of the listener "public" (or run quickstart with -blocklists):

  DNSBLs, of IP addresses: who is on one is refused for now
    zen.spamhaus.org   free for small, non-commercial use; https://www.spamhaus.org/blocklists/
    bl.spamcop.net     free; https://www.spamcop.net/bl.shtml
  LinkDNSBLs, of domains in links: such mail goes to Junk
    dbl.spamhaus.org   as above
    multi.surbl.org    free for small use; https://surbl.org/usage-policy

Lists don't answer resolvers that many share (8.8.8.8, 1.1.1.1): use one of your own on this machine. "mox
dnsbl checkhealth zen.spamhaus.org" tells whether one answers here. One that does not work refuses nothing.

`;

/** Sorts the lists by kind, and leaves out those that don't work with this resolver, with a note. */
export async function chosenBlockLists(
  zones: readonly string[],
  resolver: Resolver | undefined,
  notes: string[],
): Promise<{ DNSBLs: string[]; LinkDNSBLs: string[] }> {
  const chosen = { DNSBLs: [] as string[], LinkDNSBLs: [] as string[] };
  const checker = resolver && dnsblChecker(resolver);
  for (const zone of new Set(zones.map((z) => z.trim().toLowerCase()).filter((z) => z !== ""))) {
    const ofDomains = domainLists.has(zone);
    const wrong = await (ofDomains ? checker?.domainHealth(zone) : checker?.health(zone));
    if (wrong !== undefined) {
      notes.push(
        `the block list ${zone} does not work with the resolver of this machine (${wrong}): it was left out. ` +
          "Lists refuse resolvers that many share; with one of your own, add it to mox.conf.",
      );
    } else (ofDomains ? chosen.LinkDNSBLs : chosen.DNSBLs).push(zone);
  }
  return chosen;
}
