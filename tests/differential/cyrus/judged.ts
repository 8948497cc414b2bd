/** Disagreements with Cyrus that were looked into, and why they stand. @module */
import type { Disagreement } from "./dav.ts";

interface Judgement {
  /** Names of requests. */
  name: RegExp;
  /** What both gave, where not all that differ by these names are meant. */
  given?: (d: Disagreement) => boolean;
  why: string;
}

const judgements: readonly Judgement[] = [
  {
    name: /^PUT of (?:moment|zero)$/,
    why:
      "events without DTEND, or with a duration of nothing, are right (RFC 5545 §3.6.1); Cyrus refuses them",
  },
  {
    name: /^VALARM /,
    given: (d) => d.theirs.includes("supported-filter"),
    why: "time ranges of alarms (RFC 4791 §9.9): Cyrus doesn't support them",
  },
  {
    name: /^VTODO /,
    why:
      "a task with DTSTART and DUE is in each span between them (RFC 4791 §9.9); Cyrus looks at its ends",
  },
  {
    name: /^(?:VJOURNAL|VEVENT|expand|limit-recurrence-set|free-busy) /,
    given: (d) => /oneday|journalday|allday|20270320T000000Z/.test(d.ours + d.theirs),
    why:
      "a date is a day from midnight to midnight (RFC 4791 §9.9); Cyrus gives it to the day before, or no time",
  },
  {
    name: /^VEVENT 20270316/,
    why: "a date of a series that was moved away isn't where it was; Cyrus finds it there",
  },
  {
    name: /^expand /,
    given: (d) =>
      d.ours.replace(/ RECURRENCE-ID:\S+/g, "") === d.theirs.replace(/ RECURRENCE-ID:\S+/g, ""),
    why:
      "expanded dates all have a RECURRENCE-ID here, at Cyrus the first has none; clients take both",
  },
  {
    name: /office, room/,
    why: "a comma in a text is compared as such (RFC 4791 §9.7.5: the text, without its escapes)",
  },
  {
    name: /CATEGORIES hasn't Food/,
    why: "a property that has a word among others has it; Cyrus looks at the others",
  },
  { name: /of DTSTAMP/, why: "time ranges of properties (RFC 4791 §9.7.2): Cyrus finds nothing" },
  { name: /^events with alarms/, why: "Cyrus passes over the filter for alarms" },
  { name: /^with (?:VTIMEZONE|X-NONE)/, why: "Cyrus passes over filters for other components" },
  {
    name: /ÅNGSTRÖM/,
    why:
      "i;unicode-casemap is the usual collation of cards (RFC 6352 §8.3); Cyrus folds ASCII alone",
  },
  {
    name: /^(?:EMAIL|URL) /,
    why: "a name without a group finds properties with one (RFC 6352 §10.5.1); Cyrus doesn't",
  },
  {
    name: /^ORG (?:ends-with|hasn't) engines/,
    why: "the value is compared as a whole; Cyrus compares the parts of ORG",
  },
  {
    name: /^addresses (?:of work|without a type)/,
    why: "TYPE=INTERNET,WORK has WORK, and groups change nothing (RFC 6352 §10.5.2)",
  },
  {
    name: /^PUT: .*UID|^PUT: a new one|^PUT: version 1.0|^COPY in the same/,
    given: (d) => /uid-conflict|unique-scheduling/.test(d.ours + d.theirs),
    why:
      "a UID that is taken is a conflict (409 with no-uid-conflict); Cyrus says 403, 405, or stores a card twice",
  },
  {
    name: /^PUT: (?:a METHOD|an event and a task|no DTSTART)/,
    why:
      "an object has no METHOD, one kind of component (RFC 4791 §4.1), and DTSTART (RFC 5545 §3.6.1)",
  },
  {
    name: /^PUT: the end before the start/,
    why: "phones store such events; taken as they are, with no length",
  },
  {
    name: /^PUT: (?:below an object|in no collection)|^MOVE to nowhere/,
    why: "409 where the collection is missing (RFC 4918 §9.7.1, §9.9.4); Cyrus says 403 or 404",
  },
  {
    name: /^PROPFIND <D:(?:getcontent|displayname|supportedlock)/,
    why:
      "properties that are free to be or not; Cyrus stores objects in another form than it got them",
  },
  { name: /^PROPFIND of nothing/, why: "404 for what isn't there; Cyrus answers 207" },
  {
    name: /^a method that is none/,
    why: "the runtime's HTTP parser refuses unknown methods with 400",
  },
  {
    name: /^all after the writes/,
    why: "follows from the above",
  },
  {
    name: /InThreadHaveKeyword|by seen in thread/,
    why:
      "Cyrus counts keywords of threads for some words alone, and some of them wrongly (a thread of one unseen " +
      "message is all seen); here they are exact",
  },
  {
    name: /[Aa]ttachment$|[Aa]ttachment, threads|^Email\/get (?:11|27)$/,
    why: "hasAttachment: pictures that are inline don't count (RFC 8621 §4.1.4)",
  },
  {
    name: /text dora/,
    why: "text looks at From, To, Cc, Bcc, Subject (RFC 8621 §4.4.1); Cyrus at Reply-To too",
  },
  {
    name: /position":1000/,
    why: "a position behind the end is given back as asked; Cyrus gives the end",
  },
  {
    name: /anchor 100$/,
    why: "behind the end there is nothing; Cyrus answers with ids that are none",
  },
  { name: /^Email\/get twice/, why: "an id given twice is answered once (RFC 8620 §5.1)" },
  { name: /^Mailbox\/query (?:with a role|of the top)/, why: "a new account has other mailboxes" },
  { name: /^SearchSnippet/, why: "Cyrus gives a property of its own" },
  {
    name: /reference to nothing/,
    why: "the error is invalidResultReference (RFC 8620 §3.7); Cyrus has its old name",
  },
  {
    name: /changes (?:without a state|of nothing)/,
    why:
      "no state is invalidArguments, a wrong one cannotCalculateChanges (RFC 8620 §5.2); Cyrus the other way",
  },
  {
    name: /unknown filter/,
    why: "unsupportedFilter (RFC 8620 §5.5) for what is no condition here",
  },
  {
    name: /^Email\/set destroy/,
    why: "what isn't there is notFound (RFC 8620 §5.3); Cyrus says that it is destroyed",
  },
  {
    name: /^EmailSubmission\/set ifInState/,
    why: "ifInState counts for all types; Cyrus passes over it",
  },
  {
    name: /^Email\/set (?:the subject|the size|a path through nothing)/,
    why:
      "what can't be changed is invalidProperties or invalidPatch (RFC 8620 §5.3); Cyrus says that it was changed",
  },
  {
    name: /^Mailbox\/set .*taken/,
    why:
      "a name that is taken is alreadyExists (RFC 8620 §5.4 has the word); Cyrus says invalidProperties",
  },
  { name: /^Mailbox\/set below/, why: "invalidProperties where Cyrus fails (serverFail)" },
  { name: /^Mailbox\/set destroy with a child/, why: "it has both, a child and mail" },
  { name: /^Email\/import of nothing/, why: "states are given always (RFC 8621 §4.8)" },
];

/** Why a disagreement stands; undefined if nobody looked into it. */
export function judged(d: Disagreement): string | undefined {
  return judgements.find((j) => j.name.test(d.name) && (j.given?.(d) ?? true))?.why;
}
