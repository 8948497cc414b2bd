/** What of packages logins with OpenID need, loaded when they do. @module */
export * as client from "openid-client";
export * as jose from "jose";
