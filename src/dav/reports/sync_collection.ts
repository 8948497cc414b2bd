/** sync-collection (RFC 6578): what changed in a collection since a token. @module */
import { GroupwareError } from "../../store/groupware/types.ts";
import { davCondition, DavError } from "../core/errors.ts";
import { multistatus, propResponse, statusResponse } from "../core/multistatus.ts";
import { addressOf, encodeSegment, objectIn } from "../core/resources.ts";
import { parseSyncToken, syncToken } from "../core/sync_token.ts";
import { calendarZone } from "../core/timezone.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { child, textOf } from "../xml/parse.ts";
import { DAV, el, escapeXml } from "../xml/write.ts";
import { dataProperties } from "./object_data.ts";
import type { Report } from "./types.ts";

/** Most changes in one answer. */
const most = 50_000;

export const syncCollection: Report = {
  name: `{${DAV}}sync-collection`,
  run(q) {
    const { r } = q;
    if (r.kind !== "collection") {
      throw new DavError(
        403,
        "only collections are synchronised",
        davCondition("supported-report"),
      );
    }
    const { g, collection } = r;
    const given = child(q.body, DAV, "sync-token");
    if (given === undefined) throw new DavError(400, "there is no sync-token");
    const level = child(q.body, DAV, "sync-level");
    const text = level === undefined ? "1" : textOf(level).trim();
    if (text !== "1" && text !== "infinite") throw new DavError(400, "sync-level is 1 or infinite");
    const invalid = () =>
      new DavError(403, "the sync-token is not valid (any more)", davCondition("valid-sync-token"));
    const token = textOf(given).trim();
    const since = token === "" ? 0 : parseSyncToken(g, collection, token);
    if (since === undefined) throw invalid();
    const nresults = child(q.body, DAV, "limit") &&
      child(child(q.body, DAV, "limit")!, DAV, "nresults");
    const asked = nresults === undefined ? most : Number(textOf(nresults).trim());
    if (!(asked >= 1)) {
      throw new DavError(
        403,
        "so few are not told",
        davCondition("number-of-matches-within-limits"),
      );
    }
    let changes;
    try {
      changes = g.changesSince(collection.id, since, Math.min(asked, most));
    } catch (err) {
      if (err instanceof GroupwareError && err.kind === "tokenTooOld") throw invalid();
      throw err;
    }
    const request = propRequest(q.body) ?? { kind: "prop", names: [] };
    const zone = calendarZone(g, collection.id);
    const data = dataProperties(request, () => zone);
    const address = addressOf(q.p.ctx.base, r);
    const parts = async function* () {
      for (const object of changes.changed) {
        const x = objectIn(r, object);
        yield propResponse(
          addressOf(q.p.ctx.base, x),
          await propstats(q.p, x, request, { minimal: q.minimal, data }),
        );
      }
      for (const name of changes.gone) yield statusResponse(address + encodeSegment(name), 404);
      if (changes.more) {
        // RFC 6578 §3.6: there is more, after the new token.
        const why = el(DAV, "error", davCondition("number-of-matches-within-limits"));
        yield statusResponse(address, 507, why);
      }
    };
    const end = el(DAV, "sync-token", escapeXml(syncToken(g, collection, changes.modseq)));
    return multistatus(parts(), end);
  },
};
