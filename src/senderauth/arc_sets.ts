/** The ARC header fields of a message, in sets (RFC 8617 §4). @module */
import { fieldText, type HeaderField, type HeaderFields } from "./header_fields.ts";
import {
  DkimSignatureError,
  parseSignatureTags,
  signatureTagList,
  type SignatureTags,
} from "./dkim_signature.ts";
import { ARC_MAX_BYTES, ARC_MAX_SETS } from "./limits.ts";
import { parseDigits } from "./tag_list.ts";

/** ARC-Seal: its own canonical form, no body hash, no h=. */
export interface ArcSeal {
  algorithm: SignatureTags["algorithm"];
  signature: Uint8Array;
  domain: string;
  selector: string;
  cv: "none" | "pass" | "fail";
}

/** The three fields of one hop. */
export interface ArcSet {
  instance: number;
  results: HeaderField;
  messageSignature: HeaderField;
  ams: SignatureTags;
  seal: HeaderField;
  as: ArcSeal;
}

/** Fields that are not valid sets by RFC 8617 §5.2 step 3: the chain fails. */
export class ArcError extends Error {
  /** The highest instance seen, at least 1: a further seal has the next one. */
  readonly instance: number;
  /** The newest seal records that the chain had failed: nobody seals after that (RFC 8617 §5.1.2). */
  readonly sealedAsFailed: boolean;
  constructor(message: string, instance: number, sealedAsFailed = false) {
    super(message);
    this.name = "ArcError";
    this.instance = instance;
    this.sealedAsFailed = sealedAsFailed;
  }
}

const kinds = ["arc-authentication-results", "arc-message-signature", "arc-seal"] as const;
type Kind = (typeof kinds)[number];

/** The sets by instance, empty if there are none. Throws {@link ArcError}. */
export function collectArcSets(header: HeaderFields): ArcSet[] {
  const byInstance: Partial<Record<Kind, HeaderField>>[] = [];
  const fields = header.fields.filter((f) => (kinds as readonly string[]).includes(f.name));
  if (fields.length === 0) return [];
  let highest = 1;
  let bytes = 0;
  for (const field of fields) bytes += field.end - field.start;
  if (bytes > ARC_MAX_BYTES || fields.length > 3 * ARC_MAX_SETS) {
    throw new ArcError("too many ARC fields", ARC_MAX_SETS);
  }
  let error: string | undefined;
  for (const field of fields) {
    const instance = instanceOf(fieldText(header, field), field.name as Kind);
    if (instance === undefined) {
      error ??= `${field.name} without valid instance`;
      continue;
    }
    highest = Math.max(highest, instance);
    const set = byInstance[instance - 1] ??= {};
    if (set[field.name as Kind]) error ??= `instance ${instance} has two fields ${field.name}`;
    set[field.name as Kind] = field;
  }
  const newest = byInstance[highest - 1]?.["arc-seal"];
  // RFC 8617 §5.2 step 2 comes before anything else about the structure.
  if (newest && saysFail(fieldText(header, newest))) {
    throw new ArcError("sealed as failed", highest, true);
  }
  if (error !== undefined) throw new ArcError(error, highest);
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= highest; instance++) {
    const set = byInstance[instance - 1];
    const [results, messageSignature, seal] = kinds.map((k) => set?.[k]);
    if (!results || !messageSignature || !seal) {
      throw new ArcError(`instance ${instance} is not complete`, highest);
    }
    try {
      const ams = parseMessageSignature(fieldText(header, messageSignature));
      const as = parseArcSeal(fieldText(header, seal));
      // RFC 8617 §5.2 step 3.
      if (as.cv !== (instance === 1 ? "none" : "pass")) {
        throw new ArcError(`instance ${instance} has wrong cv`, highest);
      }
      sets.push({ instance, results, messageSignature, ams, seal, as });
    } catch (err) {
      if (!(err instanceof DkimSignatureError)) throw err;
      throw new ArcError(`instance ${instance}: ${err.message}`, highest);
    }
  }
  return sets;
}

/** i= of a field: a tag of the signatures, the first word of the results. */
function instanceOf(text: string, kind: Kind): number | undefined {
  let value: string | undefined;
  if (kind === "arc-authentication-results") {
    const first = text.split(";", 1)[0];
    const equals = first.indexOf("=");
    if (equals < 0 || first.slice(0, equals).trim().toLowerCase() !== "i") return undefined;
    value = first.slice(equals + 1).trim();
  } else {
    try {
      value = signatureTagList(text).get("i");
    } catch (err) {
      if (!(err instanceof DkimSignatureError)) throw err;
      return undefined;
    }
  }
  const n = parseDigits(value ?? "", 2);
  return n === undefined || n < 1 || n > ARC_MAX_SETS ? undefined : n;
}

function saysFail(text: string): boolean {
  try {
    return signatureTagList(text).get("cv")?.toLowerCase() === "fail";
  } catch (err) {
    if (!(err instanceof DkimSignatureError)) throw err;
    return false;
  }
}

/** The value of an ARC-Message-Signature (RFC 8617 §4.1.2). Throws {@link DkimSignatureError}. */
export function parseMessageSignature(value: string): SignatureTags {
  const tags = signatureTagList(value);
  const ams = parseSignatureTags(tags);
  // RFC 8617 §4.1.2: it doesn't sign seals; From is as in DKIM.
  if (ams.headers.includes("arc-seal")) throw new DkimSignatureError("syntax", "seal is signed");
  if (!ams.headers.includes("from")) throw new DkimSignatureError("syntax", "From is not signed");
  return ams;
}

/** The value of an ARC-Seal (RFC 8617 §4.1.3). Throws {@link DkimSignatureError}. */
export function parseArcSeal(value: string): ArcSeal {
  const tags = signatureTagList(value);
  // RFC 8617 §4.1.3: h= and bh= are not allowed in it.
  if (tags.has("h") || tags.has("bh")) throw new DkimSignatureError("syntax", "seal has h= or bh=");
  const cv = tags.get("cv")?.toLowerCase();
  if (cv !== "none" && cv !== "pass" && cv !== "fail") {
    throw new DkimSignatureError("syntax", "cv= is not none, pass or fail");
  }
  // The rest is as in a message signature; tags that a seal lacks get well-formed values.
  const filled = new Map(tags).set("h", "from").set("bh", "A".repeat(43) + "=");
  filled.delete("c");
  const { algorithm, signature, domain, selector } = parseSignatureTags(filled);
  return { algorithm, signature, domain, selector, cv };
}
