/** The parts of packages that OpenID logins need, loaded when they do. @module */
export * as client from "openid-client";
export * as jose from "jose";
