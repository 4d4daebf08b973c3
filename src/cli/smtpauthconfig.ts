/** `smtpauthconfig`: profiles that say how people prove who they are. Pure. */
import { isMapping, type Json, type Mapping } from '../config/document.ts';
import type { ConfigCommand } from './collection.ts';
import { shown } from './form.ts';

const has =
  (key: string) =>
  (object: Mapping): boolean =>
    object[key] !== undefined;

export const SMTPAUTHCONFIG: ConfigCommand = {
  name: 'smtpauthconfig',
  collections: [
    {
      kind: 'profile',
      section: ['smtpAuthProfiles'],
      noun: 'SMTP Auth profile',
      askName: 'Enter a name for this profile.',
      types: {
        ask: 'Choose the type of profile you wish to create:',
        options: [
          { value: 'certificate', label: 'Certificate' },
          { value: 'ldap', label: 'LDAP' },
        ],
      },
      row: (object) =>
        isMapping(object) ? `(${shown(object['type'] ?? '')}, query ${shown(object['query'] ?? 'none')})` : '',
      fields: () => [
        { key: 'query', ask: 'Which LDAP query is asked?', suits: isQueryFor },
        { key: 'trust', ask: 'Certificate authorities whose clients this profile accepts, with commas between.' },
        {
          key: 'allowSmtpAuth',
          ask: 'Which profile is used for the SMTP AUTH command if a client certificate is not available?',
          suits: (profile) => isMapping(profile) && profile['type'] === 'ldap',
        },
        {
          key: 'compareCertificate',
          ask: 'Must the directory entry hold this very certificate (userCertificate)?',
        },
        {
          key: 'checkAllowed',
          ask: 'Do you want to check with LDAP if the user is allowed to use the SMTP AUTH command?',
        },
        {
          key: 'checkAllowed.action',
          ask: 'What happens to users who are not allowed?',
          labels: { monitor: 'Monitor and report only', reject: 'Reject with custom SMTP response' },
          when: has('checkAllowed'),
        },
        { key: 'checkAllowed.response', ask: 'Do you want a custom SMTP response?', when: rejects },
        {
          key: 'checkAllowed.response.code',
          ask: 'Enter the SMTP code to use in the response.',
          preset: 525,
          when: answers,
        },
        {
          key: 'checkAllowed.response.text',
          ask: 'Enter the text of the response.',
          preset: 'Dear user, please use your CAC to send email.',
          when: answers,
        },
      ],
    },
  ],
};

/** A profile asks queries of one type only. */
const isQueryFor = (query: Json | undefined, { type }: Mapping): boolean =>
  isMapping(query) && query['type'] === (type === 'certificate' ? 'certificate' : 'smtpAuth');

function rejects({ checkAllowed }: Mapping): boolean {
  return isMapping(checkAllowed) && checkAllowed['action'] === 'reject';
}

function answers({ checkAllowed }: Mapping): boolean {
  return isMapping(checkAllowed) && checkAllowed['response'] !== undefined;
}
