/**
 * What the host access table's answer means for a connection: AsyncOS "Connection Behavior". CONTINUE never arrives
 * here, the table has gone on to the next group. Pure.
 */
import type { EffectivePolicy } from '../config/effective-policy.ts';
import { R, type Reply } from '../core/reply.ts';

export type Admission =
  | { readonly kind: 'greet'; readonly reply: Reply; readonly behavior: 'ACCEPT' | 'RELAY' }
  | { readonly kind: 'reject'; readonly reply: Reply; readonly behavior: 'REJECT' }
  /** Refused at TCP level: the peer sees a reset and no banner. */
  | { readonly kind: 'tcp-refuse'; readonly behavior: 'TCPREFUSE' };

/** AsyncOS "Connection Behavior" of the mail flow policy; the reply is the greeting, or why there is none. */
export function decideAdmission(policy: EffectivePolicy): Admission {
  switch (policy.behavior) {
    case 'tcpRefuse':
      return { kind: 'tcp-refuse', behavior: 'TCPREFUSE' };
    case 'accept':
    case 'relay': {
      const { code, text } = policy.banner;
      const reply = R.banner(code, [policy.bannerHostname, text].filter((part) => part !== '').join(' '));
      return { kind: 'greet', reply, behavior: policy.behavior === 'relay' ? 'RELAY' : 'ACCEPT' };
    }
    case 'reject':
    case 'continue': {
      const { rejectBanner } = policy;
      return { kind: 'reject', reply: R.custom(rejectBanner.code, rejectBanner.text), behavior: 'REJECT' };
    }
  }
}
