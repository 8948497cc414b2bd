/** `mox config list` and `mox list`: mailing lists. @module */
import { readStdinBytes } from "../platform/terminal.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, UsageError } from "./command.ts";

const changes =
  `The change is written to domains.conf, with its comments kept, and in force at once.`;

/** Settings as flags; "" for unchanged. */
const flags = {
  name: "",
  description: "",
  posting: "",
  others: "",
  moderated: "",
  subscribing: "",
  archive: "",
  from: "",
  replytolist: "",
  subjectprefix: "",
  maxsize: "",
  unlisted: "",
};

const words = {
  posting: ["members", "anyone", "owners"],
  others: ["hold", "refuse"],
  subscribing: ["open", "approve", "closed"],
  archive: ["members", "public", "none"],
  from: ["dmarc", "always", "never"],
} as const;

const flagsUsage = "[-name text] [-description text] [-posting members|anyone|owners] " +
  "[-others hold|refuse] [-moderated bool] [-subscribing open|approve|closed] " +
  "[-archive members|public|none] [-from dmarc|always|never] [-replytolist bool] " +
  "[-subjectprefix text] [-maxsize bytes] [-unlisted bool]";
const flagsHelp = `
  -name, -description   for people
  -posting        who may write to it without being held
  -others         what becomes of messages of those who may not
  -moderated      true: messages of members are held too
  -subscribing    who becomes a member: whoever confirms, whom an owner accepts, nobody by themselves
  -archive        who reads it
  -from           when the list's address takes the author's place
  -replytolist    true: answers go to the list
  -subjectprefix  put before subjects; "none" for nothing
  -maxsize        largest message, in bytes
  -unlisted       true: not named on the page with all lists`;

function settings(given: typeof flags): { [name: string]: string | number | boolean } {
  const s: { [name: string]: string | number | boolean } = {};
  for (const [flag, name] of [["name", "name"], ["description", "description"]] as const) {
    if (given[flag] !== "") s[name] = given[flag];
  }
  for (const flag of Object.keys(words) as (keyof typeof words)[]) {
    if (given[flag] === "") continue;
    if (!(words[flag] as readonly string[]).includes(given[flag])) {
      throw new UsageError(`-${flag} is ${words[flag].join(", ")}, not ${given[flag]}`);
    }
    s[flag] = given[flag];
  }
  for (
    const [flag, name] of [["moderated", "moderated"], ["replytolist", "replyToList"], [
      "unlisted",
      "unlisted",
    ]] as const
  ) {
    const value = given[flag];
    if (value === "") continue;
    if (value !== "true" && value !== "false") {
      throw new UsageError(`-${flag} is true or false, not ${JSON.stringify(value)}`);
    }
    s[name] = value === "true";
  }
  if (given.subjectprefix !== "") {
    s.subjectPrefix = given.subjectprefix === "none" ? "" : given.subjectprefix;
  }
  if (given.maxsize !== "") {
    if (!/^\d{1,12}$/.test(given.maxsize)) {
      throw new UsageError(`-maxsize is a number of bytes, not ${given.maxsize}`);
    }
    s.maxMessageSize = Number(given.maxsize);
  }
  return s;
}

/** Bytes of addresses on standard input. */
const maxAddresses = 4 * 1024 * 1024;

/** Addresses from the arguments; "-" means those on standard input, one per line. */
async function addresses(args: readonly string[]): Promise<string[]> {
  if (args.length !== 1 || args[0] !== "-") return [...args];
  const text = new TextDecoder().decode(await readStdinBytes(maxAddresses));
  return text.split("\n").map((l) => l.replace(/#.*$/, "").trim()).filter((l) => l !== "");
}

export const listCommands: readonly Command[] = [
  adminCommand({
    name: "config list add",
    trial: true,
    usage: `${flagsUsage} list@domain owner@domain ...`,
    summary: "Add a mailing list",
    help: `
Adds a mailing list with its owners, who may be here or at other servers. Its members subscribe by mail to
list-subscribe@domain or on the pages of lists, or are added with "list addmember". ${changes}
${flagsHelp}`,
    flags,
    min: 2,
    max: 100,
    toArgs: ([address, ...owners], f) => ({ address, owners, settings: settings(f) }),
  }),
  adminCommand({
    name: "config list update",
    trial: true,
    usage: `${flagsUsage} list@domain`,
    summary: "Change settings of a mailing list",
    help: `Changes the settings that are given. ${changes}\n${flagsHelp}`,
    flags,
    min: 1,
    toArgs: ([address], f) => ({ address, settings: settings(f) }),
  }),
  adminCommand({
    name: "config list rm",
    trial: true,
    usage: "list@domain",
    summary: "Remove a mailing list",
    help: `Removes a list; its members and its archive are deleted within a minute. ${changes}`,
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "config list list",
    usage: "domain",
    summary: "List the mailing lists of a domain",
    help: "Prints the lists of a domain with their settings.",
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "list members",
    usage: "list@domain",
    summary: "Print the members of a mailing list",
    help: "Prints the members, one on a line, with what came back of messages to them.",
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "list addmember",
    usage: "list@domain address ... | -",
    summary: "Add members to a mailing list without asking them",
    help: `
Adds members, who get no message about it. With "-" their addresses are read from standard input, one on a line; what
follows a # is left out, so that the output of "list members" can be read again.`,
    min: 2,
    max: 10_000,
    toArgs: async ([address, ...members]) => ({ address, members: await addresses(members) }),
  }),
  adminCommand({
    name: "list rmmember",
    usage: "list@domain address ... | -",
    summary: "Take members out of a mailing list",
    help: 'Takes members out, without telling them; "-" as with "list addmember".',
    min: 2,
    max: 10_000,
    toArgs: async ([address, ...members]) => ({ address, members: await addresses(members) }),
  }),
  adminCommand({
    name: "list resume",
    usage: "list@domain address",
    summary: "Send to a member again whose messages came back",
    help: "Forgets what came back, and sends to the member again.",
    min: 2,
    max: 2,
    toArgs: ([address, member]) => ({ address, member }),
  }),
  adminCommand({
    name: "list held",
    usage: "list@domain",
    summary: "Print the messages that wait for an owner",
    help: "Prints number, author, subject and reason of each held message.",
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "list decide",
    usage: "list@domain number approve|reject|discard",
    summary: "Decide about a held message",
    help: `
Sends a held message to the members (approve), deletes it and tells its author (reject), or deletes it (discard). Numbers
are those of "list held".`,
    min: 3,
    max: 3,
    toArgs: ([address, id, verdict]) => {
      if (!/^\d{1,15}$/.test(id)) throw new UsageError(`${id} is not the number of a message`);
      return { address, id: Number(id), verdict };
    },
  }),
];
