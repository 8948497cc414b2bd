/**
 * Headers by which a user tries to be another, and such as are fine: for each way by which mail is submitted.
 *
 * @module
 */

/** What it is, and the header without its empty line. */
type Cases = [what: string, header: string][];

/** @param me address of the user @param other address of another user of the same domain, mox.example */
export function authorHeaders(me: string, other: string): { refused: Cases; taken: Cases } {
  return {
    refused: [
      ["two addresses in angle brackets", `From: <${other}> <${me}>`],
      ["words around two addresses", `From: x <${other}> y <${me}>`],
      ["an address behind the address", `From: <${me}> ${other}`],
      ["an address in place of a name", `From: ${other} <${me}>`],
      ["another's address beside one's own", `From: <${me}>, <${other}>`],
      ["two From fields", `From: <${me}>\r\nFrom: <${other}>`],
      ["the same From field twice", `From: <${me}>\r\nFrom: <${me}>`],
      ["a first line that is a continuation", ` From: ${other}\r\nFrom: <${me}>`],
      ["a first line that is a continuation, by a tab", `\tFrom: ${other}\r\nFrom: <${me}>`],
      ["a blank before the colon", `From : <${other}>\r\nFrom: <${me}>`],
      ["a line of mbox", `From ${other}\r\nFrom: <${me}>`],
      ["a line without a colon", `Subject\r\nFrom: <${me}>`],
      ["another's Sender", `From: <${me}>\r\nSender: <${other}>`],
      ["two Sender fields", `From: <${me}>\r\nSender: <${me}>\r\nSender: <${other}>`],
      ["two addresses in Sender", `From: <${me}>\r\nSender: <${me}>, <${other}>`],
      ["a source route", `From: <@ann.example,@x.example:${me}>`],
      ["a group", `From: ann: <${me}>;`],
      ["brackets without end", `From: <${me}`],
      ["a comment without end", `From: <${me}> (${other}`],
      ["a quoted string without end", `From: "${other} <${me}>`],
      ["two at signs", `From: <${other}@${me}>`],
      ["a NUL", `From: ${other}\0 <${me}>`],
      ["no From at all", "Subject: x"],
      ["an empty From", "From: "],
      ["another domain of ours", "From: <ann@other.example>"],
      ["an encoded address", "From: =?utf-8?q?x=40mox.example?="],
    ],
    taken: [
      ["an address alone", `From: ${me}`],
      ["a name", `From: Bob B. Builder <${me}>`],
      ["a name in quotes with an address in it", `From: "${other}" <${me}>`],
      ["the address as its own name", `From: ${me} <${me}>`],
      ["a comment", `From: ${me} (Bob (the builder))`],
      ["a folded field", `From: =?utf-8?q?J=C3=B6rg?=\r\n <${me}>`],
      ["own Sender", `From: <${me}>\r\nSender: ${me}`],
      ["one address twice", `From: <${me}>, Bob <${me}>`],
      ["in capitals", `FROM: <${me.toUpperCase()}>`],
    ],
  };
}
