/** SearchSnippet/get (RFC 8621 §5.1). @module */
import { emailContent } from "../../../store/messages/content.ts";
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { checkCount } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { anyObject, id } from "../../core/types.ts";
import { type BodyPart, bodyParts, chooseBodies } from "../../mail/body_parts.ts";
import { bodyValue } from "../../mail/body_values.ts";
import { readEmailFilter } from "../../mail/query/email_filter.ts";
import { slotOfId } from "../../mail/ids.ts";
import { storedMessage, Turns } from "../../mail/message_source.ts";
import { excerpt, marked, type Terms, termsOf, textOfHtml } from "../../mail/snippets.ts";
import { type MailView, mailView } from "../../mail/view.ts";
import { parseSummary } from "../../../store/messages/summary.ts";

/** Most bytes of a body that are searched. */
const maxBody = 256 * 1024;

async function snippet(
  view: MailView,
  slot: number,
  emailId: string,
  terms: Terms,
  turns: Turns,
): Promise<Record<string, unknown>> {
  const content = emailContent(view.account.db, view.index.emailAt(slot));
  const r: Record<string, unknown> = { emailId, subject: null, preview: null };
  if (!content) return r;
  if (terms.subject.length > 0) {
    r.subject = marked(parseSummary(content.summary).subject, terms.subject);
  }
  if (terms.body.length === 0) return r;
  const m = storedMessage(view.account, view.index.emailAt(slot), content.structure);
  try {
    const { text, html } = chooseBodies(bodyParts(m.root));
    const parts = new Set<BodyPart>([...text, ...html]);
    for (const p of parts) {
      if (p.part.type !== "text" && p.part.type !== "") continue;
      const { value } = await bodyValue(m, p.part, maxBody, turns);
      r.preview = excerpt(p.part.subtype === "html" ? textOfHtml(value) : value, terms.body);
      if (r.preview !== null) break;
    }
  } finally {
    m.close();
  }
  return r;
}

export const searchSnippetGet = defineMethod({
  name: "SearchSnippet/get",
  capability: Capability.Mail,
  args: v.strictObject({
    accountId: id,
    filter: v.optional(v.nullable(anyObject)),
    emailIds: v.array(v.string()),
  }),
  async run(ctx, args) {
    const terms = termsOf(readEmailFilter(args.filter));
    const emailIds = [...new Set(args.emailIds)];
    checkCount(emailIds.length);
    const view = await mailView(await ctx.access(args.accountId));
    const turns = new Turns();
    const list: unknown[] = [];
    const notFound: string[] = [];
    for (const emailId of emailIds) {
      const slot = slotOfId(view.index, emailId);
      if (slot === undefined || !view.visible(slot)) notFound.push(emailId);
      else list.push(await snippet(view, slot, emailId, terms, turns));
      await turns.next();
    }
    return {
      accountId: args.accountId,
      list,
      notFound: notFound.length === 0 ? null : notFound,
    };
  },
});
