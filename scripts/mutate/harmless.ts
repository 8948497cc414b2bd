/**
 * Bugs that change nothing that anybody could see, as `deno task mutate` found them.
 *
 * @module
 */

export interface Harmless {
  /** Below src. */
  file: string;
  /** Part of the line. */
  line: string;
  /** What stands there then; undefined for any change of the line. */
  becomes?: string;
  why: string;
}

export const harmless: readonly Harmless[] = [
  {
    file: "config/load.ts",
    line: "if (size > maxFileSize)",
    becomes: ">=",
    why: "a file of exactly 64 MiB",
  },
  {
    file: "config/sconf/schema_blocks.ts",
    line: "equal(value, item.zero())",
    becomes: "item.zero(), value",
    why: "what is equal is so in either order",
  },
  {
    file: "delivery/greylist.ts",
    line: "const maxWaiting = 200_000;",
    why: "a bound for the space, which another number would be as well",
  },
  {
    file: "delivery/analysis_rulesets.ts",
    line: "if (budget.left < 0) return false;",
    becomes: "<=",
    why: "one step of a million",
  },
  {
    file: "delivery/sieve/context.ts",
    line: "sentTo(query, 0)",
    why: "nothing was sent in the first millisecond of 1970",
  },
  {
    file: "delivery/sieve/database.ts",
    line: "await this.#db.durable();",
    why: "what a power cut leaves is shown by tests/faults and tests/crash",
  },
  {
    file: "delivery/sieve/filing.ts",
    line: "return await withTempFile(",
    why: "the promise that is returned is awaited by the caller",
  },
  {
    file: "delivery/training.ts",
    line: "await new Promise((resolve) => setTimeout(resolve, 0));",
    why: "it lets others run in between; the result is the same",
  },
  {
    file: "imap/parse/cursor.ts",
    line: "pos = 0;",
    why: "the constructor sets it",
  },
  {
    file: "imap/parse/cursor.ts",
    line: "d.getUTCDate() !== day || d.getUTCMonth() !== month",
    becomes: "&&",
    why: "a day that a month doesn't have changes both",
  },
  {
    file: "imap/parse/list.ts",
    line: "const next = new Uint8Array(n.length + 1);",
    becomes: "2",
    why: "one more, which nothing reads",
  },
  {
    file: "imap/parse/list.ts",
    line: 'if (i > 0 && c === "%" && n[i - 1] === "/")',
    becomes: ">=",
    why: "before the first character there is no slash",
  },
  {
    file: "mail/dsn/dsn.ts",
    line: "if (end < 0) break;",
    becomes: "<=",
    why: "an empty first line has ended the header before",
  },
  {
    file: "mail/header/date.ts",
    line: "Math.min(sec, 59)",
    why: "the smaller of two is the same in either order",
  },
  {
    file: "mail/header/subject.ts",
    line: "if (!marks.has(word)) return -1;",
    why: "anything that is not above 0 says that there is no mark",
  },
  {
    file: "mail/structure/preview.ts",
    line: "words.slice(0, previewLength * 2)",
    why: "it bounds the work; the cut that counts follows",
  },
  {
    file: "sasl/crammd5.ts",
    line: "if (space < 0 ||",
    why: "an empty name is refused with the same error a line later",
  },
  {
    file: "sasl/scram.ts",
    line: 'serverKey: made("server").subarray(0, size)',
    why: "of names without account nobody gets as far as that key",
  },
  {
    file: "senderauth/canonical.ts",
    line: '"\\r\\n".repeat(4096)',
    why: "more lines than are taken of it",
  },
  {
    file: "senderauth/canonical.ts",
    line: "if (lines <= 2) {",
    why: "two ways to write the same lines",
  },
  {
    file: "senderauth/forged_results.ts",
    line: "lower.indexOf(key, at + 1)",
    why: "the word that is looked for can't begin within itself",
  },
  {
    file: "senderauth/mod.ts",
    line: ".catch(() => {});",
    why: "it keeps the runtime from ending for a failure that is awaited later",
  },
  {
    file: "senderauth/signed_header.ts",
    line: "if (end >= 2 && bytes[end - 1] === 0x0a)",
    becomes: ">",
    why: "a field has more than its line end",
  },
  {
    file: "senderauth/spf_record.ts",
    line: 'if (slash > 0 && domainText[slash - 1] === "/")',
    becomes: ">=",
    why: "before the first character there is no slash",
  },
  {
    file: "senderauth/tag_list.ts",
    line: "return name.length > 0 && name.length <= 64;",
    becomes: ">=",
    why: "a tag without a name is refused before",
  },
  {
    file: "queue/webhooks/hooks.ts",
    line: "await this.#db.durable();",
    why: "what a power cut leaves is shown by tests/faults and tests/crash",
  },
  {
    file: "smtp/server/session.ts",
    line: "this.username = undefined;",
    why: "STARTTLS is refused after a login, so there is none to forget",
  },
  {
    file: "web/login/cose.ts",
    line: "const key = this.value(depth + 1);",
    why: "a map as a name is refused anyway",
  },
  {
    file: "web/login/login.ts",
    line: "if (eq > 0 &&",
    becomes: ">=",
    why: "no cookie of ours has an empty name",
  },
  {
    file: "web/login/page_calls.ts",
    line: "return await o.page(req);",
    why: "the promise that is returned is awaited by the caller",
  },
  {
    file: "web/login/webauthn.ts",
    line: "randomBytes(32)",
    why: "a longer key is as good",
  },
  {
    file: "web/login/webauthn.ts",
    line: "this.#spent.delete(c);",
    why: "what has ended is forgotten to save memory",
  },
  {
    file: "mail/calendar/recurrence.ts",
    line: "days, length: 31 }",
    why: "how long a rule without any time is looked for, about",
  },
  {
    file: "mail/calendar/recurrence.ts",
    line: 'Math.floor((from - start) / (rule.freq === "WEEKLY" ? 7 * day : day))',
    becomes: "8",
    why: "it begins earlier than it has to; what comes before is left out anyway",
  },
  {
    file: "mail/calendar/recurrence.ts",
    line: "let at = start + (from <= start ? 0",
    why: "it begins earlier than it has to; what comes before is left out anyway",
  },
  {
    file: "mail/calendar/series.ts",
    line: "Math.min(first, start, i.end ?? start)",
    becomes: "start, first",
    why: "the least of several, in any order",
  },
  {
    file: "delivery/sealing.ts",
    line: "if (read.size >= maxRead) read.clear();",
    becomes: ">",
    why: "one key more in memory",
  },
  {
    file: "delivery/suspicion/lookalike.ts",
    line: "if (Math.abs(a.length - b.length) > 1) return false;",
    becomes: "2",
    why: "names that differ more are told apart by what follows; this saves time",
  },
  {
    file: "mail/dsn/feedback_parse.ts",
    line: "split(/[\\s(;]/, 1)[0]",
    becomes: "2",
    why: "the first piece is taken",
  },
  {
    file: "mail/dsn/parse.ts",
    line: "if (lineStart > start) block(lineStart);",
    becomes: ">=",
    why: "a block without fields is none",
  },
  {
    file: "mail/jscontact/schema.ts",
    line: "abortEarly: true",
    becomes: "false",
    why: "the first problem is told; it saves time",
  },
  {
    file: "config/sconf/regexp_syntax.ts",
    line:
      'this.#peek("-") && this.#chars[this.#at + 1] !== "]" && this.#at + 1 < this.#chars.length',
    why: "a set that ends there has no end, which is an error in any case",
  },
  {
    file: "delivery/message_text.ts",
    line: "if (budget.left <= 0) continue;",
    becomes: "<",
    why: "one text more, where the bytes are used up to the last one",
  },
  {
    file: "delivery/sieve/memory.ts",
    line: "if (now - this.#cleaned < 60_000) return;",
    becomes: "+",
    why:
      "what has expired is removed each time in place of once a minute; nobody is asked about it",
  },
  {
    file: "mail/header/filter.ts",
    line: "end = end < 0 ? text.length : end + 1;",
    becomes: "1",
    why: "a header that begins with an empty line has no field",
  },
  {
    file: "mail/jscalendar/from_ical.ts",
    line: 'parseTime(p.value.trim(), param(p, "TZID") ?? "")',
    why: "a time without TZID is UTC here, with either",
  },
  {
    file: "mail/calendar/zones.ts",
    line: "const describedUntil = Date.UTC(2100, 0, 1);",
    why: "a bound for the work: rules are expanded to 2075",
  },
  {
    file: "mail/structure/structure.ts",
    line: ".trimEnd().slice(0, 250)",
    becomes: "2500",
    why: "a bound: boundaries have 70 characters at most",
  },
  {
    file: "nodes/merge_lines.ts",
    line: "before[n] = low > 0 ? ends[low - 1] : -1;",
    becomes: ";",
    why: "lines that stay are found one at a time, which takes longer",
  },
  {
    file: "nodes/merge_lines.ts",
    line: "for (let n = ends.at(-1) ?? -1;",
    why: "without lines nothing is greater or equal",
  },
  {
    file: "config/sconf/schema.ts",
    line: "const was = type.read(old, 0, (_line, _message, warning) => {",
    why: "the line of a problem, of which only the number of problems is asked",
  },
  {
    file: "sieve/extensions/headers.ts",
    line: 'args.texts("param")?.map((p) => p.text) ?? []',
    why: "parameters are asked for only where :param is given",
  },
  {
    file: "sieve/matching/match.ts",
    line: "if (!(err instanceof RegExpSyntaxError)) throw err;",
    becomes: ";",
    why: "nothing else is thrown there; it would be reported as an expression that is wrong",
  },
  {
    file: "sieve/message/addresses.ts",
    line: "if (s.length > 1000 ||",
    becomes: ">=",
    why: "an address of exactly 1000 characters",
  },
  {
    file: "sieve/message/mail.ts",
    line: "while (end < bytes.length && (bytes[end] === 32 || bytes[end] === 9))",
    becomes: "<=",
    why: "behind the last byte there is neither a space nor a tab",
  },
  {
    file: "sieve/run/run.ts",
    line: "if (now - this.#turn < 4) return false;",
    becomes: "+",
    why: "others have a turn more often",
  },
];
