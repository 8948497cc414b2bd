/** `mox config dns` and `mox config dkim`: writing records into zones, and rotating DKIM keys. @module */
import { adminCommand } from "./admin_call.ts";
import type { Command } from "./command.ts";

export const configDnsCommands: readonly Command[] = [
  adminCommand({
    name: "config dns plan",
    usage: "domain",
    summary: "Print what would be written into a domain's zone",
    help: `
Compares the DNS with the records that a domain should have ("config dnsrecords"), and prints which would be removed (-)
and added (+) by "config dns write", and which no DNSProviders of mox.conf write (?). Of TXT records only those of the same
kind are replaced; addresses are only added.`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "config dns write",
    usage: "domain",
    summary: "Write a domain's records into its zone",
    help: `
Writes what "config dns plan" prints, by the DNSProviders of mox.conf, and waits until it is seen. Ends with status 1 if
something isn't seen in time: look again later with "config dnscheck".`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
    status: (r) => (r as { late?: number } | null)?.late ? 1 : 0,
  }),
  adminCommand({
    name: "config dkim rotate",
    usage: "domain",
    summary: "Begin to change the DKIM keys of a domain",
    help: `
Makes new keys of the kinds that sign, and publishes them by the DNSProviders of mox.conf, or prints the records to add. The
server looks for them every ten minutes; once they are seen the new keys sign, and a week later the old ones are
withdrawn. The postmaster gets a message about each step.`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "config dkim rotation",
    usage: "",
    summary: "Print which DKIM keys are being changed",
    help:
      "Prints the domains whose keys are being changed, how far that is, and what it waits for.",
    toArgs: () => ({}),
  }),
];
