/** addressbook-query (RFC 6352 §8.6): cards that match a filter. @module */
import { parseInTurns } from "../../mail/contentline/component.ts";
import { giveWay } from "../../platform/turns.ts";
import { davCondition } from "../core/errors.ts";
import { multistatus, propResponse, statusResponse } from "../core/multistatus.ts";
import { addressOf, childrenOf, type ObjectResource } from "../core/resources.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { cardFilter, queryLimit } from "../query/card_filter.ts";
import { CARD, DAV, el } from "../xml/write.ts";
import { calendarsOf } from "./calendar_query.ts";
import { dataProperties, storedText } from "./object_data.ts";
import type { Report, ReportRequest } from "./types.ts";

async function* cardsOf(request: ReportRequest): AsyncGenerator<ObjectResource> {
  if (request.r.kind === "object") {
    if (request.r.home === "addressbooks") yield request.r;
    return;
  }
  for await (const c of calendarsOf(request)) {
    if (c.home !== "addressbooks") continue;
    for await (const x of childrenOf(request.p.ctx, c)) if (x.kind === "object") yield x;
  }
}

export const addressbookQuery: Report = {
  name: `{${CARD}}addressbook-query`,
  run(q) {
    const filter = cardFilter(q.body);
    const limit = queryLimit(q.body);
    const request = propRequest(q.body) ?? { kind: "prop", names: [] };
    const data = dataProperties(request, () => undefined);
    const parts = async function* () {
      let n = 0;
      for await (const r of cardsOf(q)) {
        await giveWay();
        let right: boolean;
        try {
          right = await filter((await parseInTurns(storedText(r)))[0]);
        } catch {
          right = false;
        }
        if (!right) continue;
        if (limit !== undefined && ++n > limit) {
          const why = el(DAV, "error", davCondition("number-of-matches-within-limits"));
          yield statusResponse(addressOf(q.p.ctx.base, q.r), 507, why);
          return;
        }
        yield propResponse(
          addressOf(q.p.ctx.base, r),
          await propstats(q.p, r, request, { minimal: q.minimal, data }),
        );
      }
    };
    return multistatus(parts());
  },
};
