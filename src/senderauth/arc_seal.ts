/** Seals a forwarded message (RFC 8617 §5.1). @module */
import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { domainToASCII } from "node:url";
import { collectArcSets } from "./arc_sets.ts";
import type { ArcOutcome } from "./arc_verify.ts";
import { hashBody, type MessageSource, relaxedField } from "./canonical.ts";
import { defaultSignedHeaders, signatureAlgorithm, signField } from "./dkim_sign.ts";
import { scanHeader } from "./header_fields.ts";
import { ARC_MAX_SETS } from "./limits.ts";
import { signedHeader } from "./signed_header.ts";

/** Headers that the message signature covers, in addition to those of a DKIM signature. */
const alsoSigned = ["DKIM-Signature"];

/**
 * The three ARC fields to put in front of a message, or undefined if none may be added: the chain was already
 * sealed as failed, or has its maximum length.
 */
export async function sealArc(input: {
  headerBytes: Uint8Array;
  message: MessageSource;
  bodyOffset: number;
  /** The result of {@link verifyArc} for the message as received. */
  chain: ArcOutcome;
  /** "authserv-id; method=result …" as from the Authentication-Results for the message as received. */
  results: string;
  domain: string;
  selector: string;
  privateKey: KeyObject;
  now: Date;
}): Promise<string | undefined> {
  const { chain, privateKey } = input;
  if (chain.sealedAsFailed || chain.instance >= ARC_MAX_SETS) return undefined;
  const instance = chain.instance + 1;
  const signed = signedHeader(scanHeader(input.headerBytes));
  const [body] = await hashBody(input.message, input.bodyOffset, [{ form: "relaxed" }]);
  const common = [
    ["i", String(instance)],
    ["a", signatureAlgorithm(privateKey)],
    ["d", domainToASCII(input.domain)],
    ["s", domainToASCII(input.selector)],
    ["t", String(Math.floor(input.now.getTime() / 1000))],
  ];

  const results = `ARC-Authentication-Results: i=${instance}; ${input.results.trim()}\r\n`;
  const names = [...defaultSignedHeaders, ...alsoSigned].flatMap((name) => {
    const count = signed.count(name.toLowerCase());
    return new Array<string>(name === "From" ? count + 1 : count).fill(name);
  });
  const messageSignature = signField(
    "ARC-Message-Signature",
    [
      ...common,
      ["c", "relaxed/relaxed"],
      ["h", names.join(":")],
      ["bh", Buffer.from(body.digest).toString("base64")],
    ],
    privateKey,
    (unsigned) => [
      ...signed.select(names.map((n) => n.toLowerCase())).map((f) =>
        signed.canonical(f, "relaxed")
      ),
      relaxedField(unsigned),
    ],
  );

  // RFC 8617 §5.1.2: a seal over a failed chain covers only its own set.
  const before = chain.result === "pass" ? earlierSets(input.headerBytes, chain.instance) : [];
  const seal = signField("ARC-Seal", [...common, ["cv", chain.result]], privateKey, (unsigned) => [
    ...before,
    relaxedField(Buffer.from(results)),
    relaxedField(Buffer.from(messageSignature)),
    relaxedField(unsigned),
  ]);
  return seal + messageSignature + results;
}

/** The canonical fields of a passing chain, in the order that seals sign. */
function earlierSets(headerBytes: Uint8Array, instances: number): Uint8Array[] {
  const signed = signedHeader(scanHeader(headerBytes));
  const sets = collectArcSets(signed.header);
  return sets.slice(0, instances).flatMap((s) =>
    [s.results, s.messageSignature, s.seal].map((f) => signed.canonical(f, "relaxed"))
  );
}
