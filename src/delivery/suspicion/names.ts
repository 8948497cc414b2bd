/**
 * Names that are often abused, and sites where anyone can publish a page: general knowledge, kept short. A name
 * is only matched as a whole word of the sender's display name.
 *
 * @module
 */

/**
 * Names with parts of the domains that they really send from; the name itself, without spaces, is always one.
 */
export const borrowedNames: readonly (readonly [name: string, ...parts: string[]])[] = [
  ["paypal"],
  ["amazon", "amzn"],
  ["microsoft", "office", "live", "outlook", "azure", "xbox"],
  ["office 365", "microsoft", "office"],
  ["onedrive", "microsoft", "live"],
  ["sharepoint", "microsoft"],
  ["apple", "icloud", "itunes"],
  ["icloud", "apple"],
  ["google", "gmail", "youtube", "android"],
  ["netflix"],
  ["spotify"],
  ["facebook", "fb", "meta"],
  ["instagram", "fb", "meta"],
  ["whatsapp", "meta", "fb"],
  ["linkedin"],
  ["docusign"],
  ["dropbox"],
  ["wetransfer"],
  ["adobe"],
  ["ebay"],
  ["walmart"],
  ["costco"],
  ["aliexpress", "alibaba"],
  ["temu"],
  ["dhl", "deutschepost"],
  ["fedex"],
  ["ups"],
  ["usps"],
  ["dpd"],
  ["gls"],
  ["hermes", "myhermes", "evri"],
  ["royal mail", "royalmail"],
  ["la poste", "laposte", "colissimo"],
  ["post.at"],
  ["chase", "jpmorgan"],
  ["wells fargo"],
  ["bank of america", "bofa"],
  ["citibank", "citi"],
  ["american express", "americanexpress", "aexp"],
  ["hsbc"],
  ["barclays"],
  ["santander"],
  ["bbva"],
  ["ing", "ing-diba"],
  ["sparkasse"],
  ["volksbank", "vr", "volksbanken"],
  ["commerzbank"],
  ["deutsche bank", "db"],
  ["postbank"],
  ["credit agricole", "ca"],
  ["bnp paribas", "bnp"],
  ["intesa sanpaolo", "intesa"],
  ["mastercard"],
  ["visa"],
  ["coinbase"],
  ["binance"],
  ["metamask"],
  ["ledger"],
  ["trezor"],
  ["blockchain.com", "blockchain"],
  ["norton", "gen", "lifelock"],
  ["mcafee"],
  ["geek squad", "bestbuy"],
  ["godaddy", "secureserver"],
  ["cpanel"],
];

/** Sites where anyone can publish a page within minutes, and link shorteners. */
export const anyonesHosts: ReadonlySet<string> = new Set(
  ("bit.ly tinyurl.com t.co goo.gl is.gd ow.ly cutt.ly rebrand.ly rb.gy shorturl.at s.id lnkd.in buff.ly t.ly tiny.cc " +
    "weebly.com wixsite.com blogspot.com wordpress.com sites.google.com docs.google.com forms.gle web.app " +
    "firebaseapp.com github.io gitlab.io pages.dev workers.dev netlify.app vercel.app herokuapp.com glitch.me " +
    "repl.co r2.dev ipfs.io dweb.link fleek.co webflow.io square.site godaddysites.com jimdosite.com " +
    "000webhostapp.com infinityfreeapp.com azurewebsites.net blob.core.windows.net web.core.windows.net " +
    "storage.googleapis.com s3.amazonaws.com trycloudflare.com ngrok.io ngrok-free.app duckdns.org ddns.net " +
    "linktr.ee notion.site carrd.co typeform.com jotform.com surge.sh onrender.com")
    .split(" "),
);

/** Providers where anyone can get an address. */
export const freeProviders: ReadonlySet<string> = new Set(
  ("gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com ymail.com aol.com gmx.com gmx.net gmx.de web.de " +
    "mail.com mail.ru yandex.com yandex.ru icloud.com proton.me protonmail.com zoho.com qq.com 163.com 126.com " +
    "libero.it laposte.net orange.fr free.fr t-online.de")
    .split(" "),
);

/** Endings of files that run when opened, or contain such files where mail programs don't check. */
export const runningEndings: ReadonlySet<string> = new Set(
  ("exe scr pif com bat cmd js jse vbs vbe wsf wsh hta ps1 psm1 msi msp jar lnk cpl reg iso img vhd vhdx chm appx " +
    "xll one")
    .split(" "),
);
/** Endings of pages, and of documents that contain programs. */
export const activeEndings: ReadonlySet<string> = new Set(
  "htm html shtml xhtml svg docm dotm xlsm xlsb xltm pptm".split(" "),
);
