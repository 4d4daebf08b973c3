/**
 * The four counters of AsyncOS logs: ICID (inbound connection), MID (message), RID (recipient within a message, from 0),
 * DCID (delivery connection). Branded so that one is never passed where another belongs. Pure.
 */
export type Icid = number & { readonly brand: 'Icid' };
export type Mid = number & { readonly brand: 'Mid' };
export type Rid = number & { readonly brand: 'Rid' };
export type Dcid = number & { readonly brand: 'Dcid' };

/** ICID 0 stands for mail that the gateway makes itself (bounces) and for refused TCP connections. */
export const INTERNAL_ICID = 0 as Icid;

/** AsyncOS writes DCID 0 where there was no connection. */
export const NO_DCID = 0 as Dcid;
