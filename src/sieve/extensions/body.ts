/** The test `body` (RFC 5173). @module */
import type { TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags, oneOf } from "../check/matching.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { allParts, isOfType, isReadable, partText, readableText } from "../message/parts.ts";
import type { Run } from "../run/run.ts";

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Octets as text: decoded as UTF-8 if valid. */
function bytesText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}

/** Texts of parts, computed once per message: scripts use them repeatedly. */
const kept = new WeakMap<Part, Map<string, string>>();

function textOf(run: Run, part: Part, how: "text" | "content"): string {
  let texts = kept.get(part);
  if (!texts) kept.set(part, texts = new Map());
  let text = texts.get(how);
  if (text === undefined) {
    const max = run.limits.partText;
    run.spend((part.endOffset - part.bodyOffset) >> 6);
    text = how === "text" ? readableText(run.message, part, max) : partText(run.message, part, max);
    if (text.length < 1_000_000) texts.set(how, text);
  }
  return text;
}

/** The texts that `:content` compares for a part of a matching type (RFC 5173 §5.2). */
function contentOf(run: Run, part: Part): string[] {
  const { message, limits: { partText: max } } = run;
  if (part.message) {
    const { headerOffset, bodyOffset } = part.message;
    const header = bytesText(message.read(headerOffset, Math.min(bodyOffset, headerOffset + max)));
    // Without the empty line after it.
    return [header.replace(/(^|\n)\r?\n$/, "$1")];
  }
  if (part.parts.length === 0) return [textOf(run, part, "content")];
  // For a multipart, the text before its first part and after its last, without their boundaries.
  const start = part.parts[0].headerOffset;
  const before = bytesText(message.read(part.bodyOffset, Math.min(start, part.bodyOffset + max)));
  const texts = [before.replace(/(^|\r?\n)--[^\r\n]*\r?\n$/, "")];
  const end = part.parts[part.parts.length - 1].endOffset;
  if (end < part.endOffset) {
    const after = bytesText(message.read(end, Math.min(part.endOffset, end + max)));
    texts.push(after.replace(/^(?:\r?\n)?--[^\r\n]*(?:\r?\n|$)/, ""));
  }
  return texts;
}

const body: TestDefinition = {
  name: "body",
  extension: "body",
  tags: { ...matchTags, raw: {}, content: { takes: "strings" }, text: {} },
  positional: ["strings"],
  compile(checker, args) {
    const how = oneOf(checker, args, ["raw", "content", "text"] as const, "kind of body") ?? "text";
    const matcher = compileMatcher(checker, args, args.strings(0));
    const types = args.texts("content")?.map((t) => t.text) ?? [];
    return (run) => {
      const { message } = run;
      const { root } = message;
      let values: string[];
      if (!message.hasBody) {
        // RFC 5173 §4: without an empty line after the header there is no body, and no test of it is true.
        values = [];
      } else if (how === "raw") {
        run.spend((message.end - root.bodyOffset) >> 6);
        values = [
          bytesText(
            message.read(
              root.bodyOffset,
              Math.min(message.end, root.bodyOffset + run.limits.partText),
            ),
          ),
        ];
      } else {
        values = [];
        const wanted = how === "content" ? run.texts(types) : [];
        for (const p of allParts(root)) {
          run.spend(1);
          if (how === "text") {
            if (isReadable(p)) values.push(textOf(run, p, "text"));
          } else if (wanted.some((w) => isOfType(p, w))) {
            values.push(...contentOf(run, p));
          }
        }
      }
      // RFC 5173 §6: ${1} and so on stay unchanged.
      return matcher.any(run, values, false);
    };
  },
};

export const bodyTests: readonly TestDefinition[] = [body];
