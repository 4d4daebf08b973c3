/** What is asked about a mail flow policy, and about the default policy that fills in what others leave out. Pure. */
import { isMapping, type Json, type Mapping } from '../config/document.ts';
import type { Collection } from './collection.ts';
import { type Field, shown } from './form.ts';
import { inheritedTerms, sizeText, TLS_WORDS } from './listener-summary.ts';

const TLS_REMARK =
  "You have chosen to enable TLS. Please use the 'certconfig' command to\nensure that there is a valid certificate configured.";

/** `inherited`: what holds where the policy is silent. */
const termFields = (inherited: Mapping): Field[] => [
  ...limitFields(inherited),
  ...bannerFields(),
  ...securityFields(inherited),
];

const held = (inherited: Mapping, key: string): { inherited?: Json } => {
  const value = inherited[key];
  return value === undefined ? {} : { inherited: value };
};

function limitFields(inherited: Mapping): Field[] {
  return [
    {
      key: 'maxMessageSize',
      ask: 'Enter the maximum message size. Add a trailing k for kilobytes, M for megabytes, or no letter for bytes.',
      inherited: sizeText(inherited['maxMessageSize']),
    },
    {
      key: 'maxConnectionsPerAddress',
      ask: 'Enter the maximum number of concurrent connections allowed from a single IP address.',
      ...held(inherited, 'maxConnectionsPerAddress'),
    },
    {
      key: 'maxMessagesPerConnection',
      ask: 'Enter the maximum number of messages per connection.',
      ...held(inherited, 'maxMessagesPerConnection'),
    },
    {
      key: 'maxRecipientsPerMessage',
      ask: 'Enter the maximum number of recipients per message.',
      ...held(inherited, 'maxRecipientsPerMessage'),
    },
  ];
}

function bannerFields(): Field[] {
  const has =
    (key: string) =>
    (object: Mapping): boolean =>
      object[key] !== undefined;
  return [
    { key: 'bannerHostname', ask: 'Enter the hostname of the SMTP banner; empty for that of the gateway.' },
    { key: 'banner', ask: 'Would you like to specify a custom SMTP acceptance response?' },
    { key: 'banner.code', ask: 'Enter the SMTP code to use in the response.', preset: 220, when: has('banner') },
    { key: 'banner.text', ask: 'Enter your custom SMTP response.', when: has('banner') },
    { key: 'rejectBanner', ask: 'Would you like to specify a custom SMTP rejection response?' },
    {
      key: 'rejectBanner.code',
      ask: 'Enter the SMTP code to use in the response.',
      preset: 554,
      when: has('rejectBanner'),
    },
    { key: 'rejectBanner.text', ask: 'Enter your custom SMTP response.', when: has('rejectBanner') },
  ];
}

function securityFields(inherited: Mapping): Field[] {
  const effective = (object: Mapping, key: string): Json | undefined => object[key] ?? inherited[key];
  return [
    {
      key: 'tls',
      ask: 'Do you want to allow encrypted TLS connections?',
      labels: TLS_WORDS,
      ...held(inherited, 'tls'),
      remark: (tls) => ((tls ?? inherited['tls']) === 'off' ? undefined : TLS_REMARK),
    },
    {
      key: 'verifyClientCertificate',
      ask: 'Do you want to verify the client certificate?',
      ...held(inherited, 'verifyClientCertificate'),
      when: (object) => effective(object, 'tls') !== 'off',
    },
    {
      key: 'smtpAuth',
      ask: 'Do you want to allow SMTP authentication?',
      labels: TLS_WORDS,
      ...held(inherited, 'smtpAuth'),
    },
    {
      key: 'requireTlsToOfferSmtpAuth',
      ask: 'Do you want to require TLS to offer SMTP authentication?',
      ...held(inherited, 'requireTlsToOfferSmtpAuth'),
      when: (object) => effective(object, 'smtpAuth') !== 'off',
    },
  ];
}

export const defaultPolicyFields = (): Field[] => termFields(inheritedTerms({}, 'default'));

export const MAIL_FLOW_POLICIES: Collection = {
  kind: 'policy',
  section: ['mailFlowPolicies'],
  noun: 'mail flow policy',
  askName:
    'Enter a name for this policy; that of a built-in one (ACCEPTED, RELAYED, TRUSTED, THROTTLED, BLOCKED) changes it.',
  row: (object) => {
    if (!isMapping(object)) return '';
    const { behavior, tls } = object;
    return [behavior, tls === undefined ? undefined : `TLS: ${TLS_WORDS[shown(tls)] ?? ''}`]
      .filter((each) => each !== undefined)
      .map(shown)
      .join(', ');
  },
  fields: (_object, document, name) => {
    const inherited = inheritedTerms(document, name);
    return [
      {
        key: 'behavior',
        ask: 'Select a behavior for this policy.',
        labels: { accept: 'Accept', relay: 'Relay', reject: 'Reject', tcpRefuse: 'TCP Refuse', continue: 'Continue' },
        ...held(inherited, 'behavior'),
      },
      ...termFields(inherited),
    ];
  },
};
