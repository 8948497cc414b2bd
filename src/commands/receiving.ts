/** The commands about judging incoming mail: DNS, sender authentication, reports, junk. @module */
import type { Command } from "./command.ts";
import { dkimGenEd25519, dkimGenRsa, dkimLookup, dkimSign, dkimTxt, dkimVerify } from "./dkim.ts";
import { dmarcCheckReportAddrs, dmarcLookup, dmarcParseReport, dmarcVerify } from "./dmarc.ts";
import { daneCommands } from "./dane.ts";
import { dnsLookup } from "./dns.ts";
import { mtastsLookup } from "./mtasts.ts";
import { rdapDomainage } from "./rdap.ts";
import { webapi } from "./webapi.ts";
import { dnsblCheck, dnsblCheckHealth } from "./dnsbl.ts";
import { junkCheck, junkPlay, junkTrain } from "./junk.ts";
import { junkExplain } from "./junk_explain.ts";
import { messageParse } from "./message_parse.ts";
import { retrain } from "./retrain.ts";
import { spfCheck, spfLookup, spfParse } from "./spf.ts";
import { tlsrptLookup, tlsrptParseReport } from "./tlsrpt.ts";

export const receivingCommands: readonly Command[] = [
  retrain,
  junkTrain,
  junkCheck,
  junkExplain,
  junkPlay,
  dnsLookup,
  mtastsLookup,
  rdapDomainage,
  webapi,
  ...daneCommands,
  dnsblCheck,
  dnsblCheckHealth,
  spfCheck,
  spfLookup,
  spfParse,
  dkimLookup,
  dkimVerify,
  dkimSign,
  dkimTxt,
  dkimGenEd25519,
  dkimGenRsa,
  dmarcLookup,
  dmarcVerify,
  dmarcParseReport,
  dmarcCheckReportAddrs,
  tlsrptLookup,
  tlsrptParseReport,
  messageParse,
];
