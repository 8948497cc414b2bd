/**
 * Signals of phishing that need no training: what a careful reader would notice. Each has a sentence for the
 * reader and a weight; together they can send an unknown sender's message to the Junk mailbox, but never refuse
 * it.
 *
 * Pure; never fails on any input; linear in the message, whose texts are bounded by the caller.
 *
 * @module
 */
import { domainToUnicode } from "node:url";
import { organizationalDomain } from "../../store/messages/describe.ts";
import { type Anchor, hostOf, htmlLinks, textLinks } from "./anchors.ts";
import { lookalikeOf, mixesAlphabets } from "./lookalike.ts";
import {
  activeEndings,
  anyonesHosts,
  borrowedNames,
  freeProviders,
  runningEndings,
} from "./names.ts";

/** Something that a careful reader would notice. */
export interface Signal {
  kind: SignalKind;
  /** For people: what was noticed. */
  text: string;
  /** How much it counts towards {@link suspicious}. */
  weight: number;
}

export type SignalKind =
  | "borrowed-name"
  | "address-as-name"
  | "lookalike"
  | "mixed-alphabets"
  | "link-text"
  | "links-elsewhere"
  | "anyones-host"
  | "running-attachment"
  | "active-attachment"
  | "answers-elsewhere"
  | "image-only"
  | "html-only"
  | "listed-link"
  | "unverified";

/** Total weight that makes a message suspicious. */
export const suspicious = 4;

/** The relevant parts of a message. */
export interface Suspect {
  /** The address in From, and the name shown for it. */
  from: { name: string; address: string } | undefined;
  replyTo: readonly { address: string }[];
  /** SPF or DKIM show that the message comes from the From domain (DMARC passes, or would). */
  verified: boolean;
  /** The message came through a mailing list, which adds its own links at the end. */
  list: boolean;
  /** Text parts, decoded; bounded by the caller. */
  texts: readonly { html: boolean; text: string }[];
  /** File names. */
  attachments: readonly string[];
  /** Domains that the user has written to, registered ones, in lower case. */
  correspondents: Iterable<string>;
}

/** The signals of a message. */
export function signalsOf(suspect: Suspect): Signal[] {
  const signals: Signal[] = [];
  const add = (kind: SignalKind, weight: number, text: string) => {
    if (!signals.some((s) => s.kind === kind)) signals.push({ kind, weight, text });
  };
  const domain = suspect.from === undefined ? "" : domainOf(suspect.from.address);
  const organization = organizationalDomain(domain);
  if (suspect.from !== undefined && domain !== "") {
    senderSignals(suspect.from, domain, organization, suspect.correspondents, add);
    answerSignals(suspect, organization, add);
  }
  linkSignals(suspect, organization, add);
  for (const name of suspect.attachments.slice(0, 100)) attachmentSignals(name, add);
  // Most good mail is verified today. Alone a missing verification means little, with other signals much.
  if (signals.length > 0 && !suspect.verified) {
    add(
      "unverified",
      1,
      "Nothing shows that it comes from the address that it names as its sender.",
    );
  }
  return signals;
}

/** Most link domains that are looked up in block lists. */
const maxListed = 10;

/** Registered domains of the message's links, without the sender's own, for lookups in block lists. */
export function linkDomains(m: Pick<Suspect, "texts" | "from">): string[] {
  const own = m.from === undefined ? "" : organizationalDomain(domainOf(m.from.address));
  const domains = new Set<string>();
  for (const t of m.texts) {
    for (const a of t.html ? htmlLinks(t.text).anchors : textLinks(t.text)) {
      const host = hostOf(a.target);
      const domain = host === undefined ? own : organizationalDomain(host);
      if (domain !== own && /[a-z]/.test(domain.slice(domain.lastIndexOf(".")))) {
        domains.add(domain);
      }
      if (domains.size === maxListed) return [...domains];
    }
  }
  return [...domains];
}

/** The signal for a link on a block list. */
export function listedLink(domain: string, zone: string): Signal {
  return {
    kind: "listed-link",
    weight: suspicious,
    text: `A link goes to ${domain}, which is on the block list ${zone}.`,
  };
}

/** The sum of the weights. */
export function suspicionOf(signals: readonly Signal[]): number {
  return signals.reduce((sum, s) => sum + s.weight, 0);
}

type Add = (kind: SignalKind, weight: number, text: string) => void;

/** The domain of an address in lower case, in its readable form. */
function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase().replace(/\.$/, "");
  return readable(domain);
}

function readable(host: string): string {
  return host.includes("xn--") ? domainToUnicode(host) || host : host;
}

function senderSignals(
  from: { name: string; address: string },
  domain: string,
  organization: string,
  correspondents: Iterable<string>,
  add: Add,
): void {
  const name = from.name.slice(0, 200).normalize("NFKC").toLowerCase();
  const words = ` ${name.split(/[^\p{L}\p{N}.]+/u).join(" ")} `;
  for (const [brand, ...parts] of borrowedNames) {
    if (!words.includes(` ${brand} `)) continue;
    const own = [brand.replaceAll(" ", ""), ...parts];
    if (own.some((part) => domain.includes(part))) continue;
    // People have such names too: "Chase Miller". A verified sender with nothing else in the name is one of
    // them.
    add(
      "borrowed-name",
      3,
      `The sender calls itself "${from.name.slice(0, 60)}", but writes from ${domain}.`,
    );
    break;
  }
  const named = /[\w.+-]{1,64}@([\w-]+(?:\.[\w-]+)+)/.exec(name.slice(0, 200));
  if (named && organizationalDomain(named[1]) !== organization) {
    add(
      "address-as-name",
      3,
      `The sender's name shows the address ${named[0]}, but it writes from ${domain}.`,
    );
  }
  const other = lookalikeOf(organization, correspondents);
  if (other !== undefined) {
    add(
      "lookalike",
      4,
      `The sender's domain ${organization} looks like ${other}, to which you have written, but is another.`,
    );
  }
  if (mixesAlphabets(domain)) {
    add(
      "mixed-alphabets",
      4,
      `The sender's domain ${domain} has letters of different alphabets that look alike.`,
    );
  }
}

function answerSignals(suspect: Suspect, organization: string, add: Add): void {
  for (const { address } of suspect.replyTo.slice(0, 5)) {
    const domain = domainOf(address);
    if (
      !suspect.list && freeProviders.has(domain) && organizationalDomain(domain) !== organization
    ) {
      add(
        "answers-elsewhere",
        1.5,
        `Answers would go to ${
          address.slice(0, 100)
        }, an address that anyone can get, not to ${organization}.`,
      );
    }
  }
}

function linkSignals(suspect: Suspect, organization: string, add: Add): void {
  const anchors: Anchor[] = [];
  let images = 0, textLength = 0;
  const html = suspect.texts.filter((t) => t.html);
  for (const t of html) {
    const links = htmlLinks(t.text);
    anchors.push(...links.anchors);
    images += links.images;
    textLength += links.textLength;
  }
  for (const t of suspect.texts) {
    if (t.html) continue;
    anchors.push(...textLinks(t.text));
    textLength += t.text.replace(/\s+/g, "").length;
  }
  const hosts = new Map<string, string>();
  for (const a of anchors) {
    const host = hostOf(a.target);
    if (host === undefined) continue;
    const shown = readable(host);
    hosts.set(shown, organizationalDomain(shown));
    if (mixesAlphabets(shown)) {
      add(
        "mixed-alphabets",
        4,
        `A link goes to ${shown}, which has letters of different alphabets that look alike.`,
      );
    }
    const shownHost = /^\s*(?:https?:\/\/)?((?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?:[/?#]\S*)?\s*$/i
      .exec(
        a.text,
      );
    if (shownHost) {
      const shownOrganization = organizationalDomain(shownHost[1].toLowerCase());
      // Newsletters count clicks on a site of their sender or of a mailing service.
      const elsewhere = shownOrganization !== hosts.get(shown) && hosts.get(shown) !== organization;
      if (elsewhere && shownOrganization.includes(".") && shownHost[1].includes(".")) {
        add(
          "link-text",
          shownOrganization === organization ? 1 : 2,
          `A link says ${shownHost[1].slice(0, 60)}, but goes to ${shown}.`,
        );
      }
    }
    const anyones = anyonesOf(shown);
    if (anyones !== undefined) {
      add(
        "anyones-host",
        1.5,
        `A link goes to ${anyones}, where anyone can put a page or hide where a link leads.`,
      );
    }
  }
  if (
    hosts.size > 0 && !suspect.list && organization !== "" &&
    ![...hosts.values()].includes(organization)
  ) {
    if (html.length > 0 && !freeProviders.has(organization)) {
      add("links-elsewhere", 2, `No link goes to ${organization}, from which it says it comes.`);
    }
  }
  if (html.length > 0 && html.length === suspect.texts.length && hosts.size > 0) {
    if (images > 0 && textLength < 100) {
      add("image-only", 1.5, "It has hardly any text, only an image with a link.");
    }
    add("html-only", 1, "It has no plain text beside its HTML.");
  }
}

/** The anyone-can-publish site that a host belongs to. */
function anyonesOf(host: string): string | undefined {
  const labels = host.split(".");
  for (let i = Math.max(0, labels.length - 4); i <= labels.length - 2; i++) {
    const name = labels.slice(i).join(".");
    if (anyonesHosts.has(name)) return name;
  }
  return undefined;
}

function attachmentSignals(name: string, add: Add): void {
  const shown = name.slice(-60);
  const endings = name.toLowerCase().trim().split(".").slice(1);
  const last = endings.at(-1) ?? "";
  if (runningEndings.has(last)) {
    add("running-attachment", 4, `The attachment "${shown}" is a program, or holds one.`);
  } else if (activeEndings.has(last)) {
    add(
      "active-attachment",
      1.5,
      `The attachment "${shown}" can run programs or ask for passwords.`,
    );
  }
}
