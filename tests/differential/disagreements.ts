/**
 * What programs read otherwise than we do, by kind, with who is right and why. A disagreement that is in none of these
 * kinds is a finding.
 *
 * @module
 */

export interface Disagreement {
  program: "python" | "mailparser" | "postal-mime" | "dovecot";
  fact: string;
  /** What is odd about such messages. */
  odd: string;
  right: "ours" | "theirs" | "both";
  why: string;
}

export const disagreements: readonly Disagreement[] = [
  {
    program: "python",
    fact: "types",
    odd: "no semicolon",
    right: "ours",
    why: "the parameter behind the subtype is meant as one; Python makes it part of the subtype",
  },
  {
    program: "python",
    fact: "content",
    odd: "comment in encoding",
    right: "ours",
    why: "RFC 2045 §6.1 with RFC 822's comments; Python doesn't decode then",
  },
  {
    program: "mailparser",
    fact: "content",
    odd: "comment in encoding",
    right: "ours",
    why: "RFC 2045 §6.1 with RFC 822's comments",
  },
  {
    program: "postal-mime",
    fact: "content",
    odd: "comment in encoding",
    right: "ours",
    why: "RFC 2045 §6.1 with RFC 822's comments",
  },
  {
    program: "mailparser",
    fact: "from",
    odd: "quoted localpart",
    right: "both",
    why: "it keeps the quotes in the address, we take them off and put them back when writing",
  },
  {
    program: "postal-mime",
    fact: "from",
    odd: "quoted localpart",
    right: "both",
    why: "it keeps the quotes in the address, we take them off and put them back when writing",
  },
  {
    program: "postal-mime",
    fact: "from",
    odd: "comment in an address",
    right: "ours",
    why: "RFC 5322 §3.4.1: a comment is no part of an address",
  },
  {
    program: "mailparser",
    fact: "from",
    odd: "comment in an address",
    right: "ours",
    why: "RFC 5322 §3.4.1: a comment is no part of an address, and one within it no name",
  },
  {
    program: "mailparser",
    fact: "attachments",
    odd: "message within",
    right: "both",
    why: "it takes a message within as one attachment, we list what is in it",
  },
  {
    program: "postal-mime",
    fact: "attachments",
    odd: "message within",
    right: "both",
    why: "it reads some messages within as parts and others as attachments",
  },
  ...(["mailparser", "postal-mime"] as const).flatMap((program): Disagreement[] => [
    {
      program,
      fact: "attachments",
      odd: "no semicolon",
      right: "ours",
      why: "the parameter behind the subtype is meant as one",
    },
    {
      program,
      fact: "attachments",
      odd: "blanks behind a boundary",
      right: "ours",
      why: "RFC 2046 §5.1.1: transport padding",
    },
    {
      program,
      fact: "attachments",
      odd: "comment",
      right: "ours",
      why: "RFC 2045 §5.1: comments may stand behind a value, also that of a boundary",
    },
  ]),
];

/** The kind that a disagreement is of; undefined if it is new. */
export function kindOf(
  program: string,
  fact: string,
  odd: ReadonlySet<string>,
): Disagreement | undefined {
  return disagreements.find((d) => d.program === program && d.fact === fact && odd.has(d.odd));
}
