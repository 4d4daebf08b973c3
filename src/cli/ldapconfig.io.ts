/** `ldapconfig`: directories, and what they are asked. Effects: see `config-command.io.ts`. */
import { isList, isMapping, type Json, type Mapping } from '../config/document.ts';
import { parseDn } from '../ldap/distinguished-name.ts';
import { faultsOfFilter } from '../ldap/faults.ts';
import type { ConfigCommand } from './collection.ts';
import { type Editor, optionOf } from './editor.io.ts';
import { shown } from './form.ts';
import { ldaptest } from './ldaptest.io.ts';

const isCertificate = ({ type }: Mapping): boolean => type === 'certificate';
const isSmtpAuth = ({ type }: Mapping): boolean => type === 'smtpAuth';
/** Why this is no filter for a query of the type. */
function filterFault(value: Json, { type }: Mapping): string | undefined {
  if (typeof value !== 'string' || (type !== 'certificate' && type !== 'smtpAuth')) return undefined;
  return faultsOfFilter([], value, type).find(({ severity }) => severity === 'error')?.message;
}

const distinguishedName = (value: Json): string | undefined =>
  typeof value !== 'string' || parseDn(value) !== undefined
    ? undefined
    : 'not a distinguished name such as dc=example,dc=com (RFC 4514)';

const hasHosts = ({ ldif }: Mapping): boolean => ldif === undefined;
const hasBind = ({ bind }: Mapping): boolean => bind !== undefined;

function encrypts(object: Mapping): boolean {
  const { hosts, startTls } = object;
  return (
    startTls === true || (isList(hosts) && hosts.some((host) => typeof host === 'string' && host.startsWith('ldaps:')))
  );
}

/** `ldaptest` on the uncommitted configuration. */
async function test(editor: Editor): Promise<void> {
  const { dialogue } = editor;
  const candidate = editor.session.status.mode === 'store' && optionOf(editor, 'config').length === 0;
  const args = [...optionOf(editor, 'data'), ...optionOf(editor, 'config'), ...(candidate ? ['--candidate'] : [])];
  await ldaptest(args, (text) => dialogue.write(text), { dialogue });
  dialogue.write('\n');
}

export const LDAPCONFIG: ConfigCommand = {
  name: 'ldapconfig',
  collections: [
    {
      kind: 'server',
      section: ['ldap', 'servers'],
      noun: 'LDAP server configuration',
      askName: 'Please create a name for this server configuration (Ex: "PublicLDAP"):',
      row: (object) => (isMapping(object) ? `(${shown(object['hosts'] ?? object['ldif'] ?? 'no host')})` : ''),
      fields: () => [
        {
          key: 'hosts',
          ask: 'Please enter the hosts, with commas between (ldap://host:port or ldaps://host:port).',
          when: hasHosts,
        },
        {
          key: 'type',
          ask: 'Choose the LDAP server type:',
          labels: {
            activeDirectory: 'Active Directory',
            openldap: 'OpenLDAP',
            oracle: 'Oracle',
            other: 'Unknown or Other',
          },
        },
        {
          key: 'bind',
          ask: 'Do you want to authenticate to the server with a user name (otherwise anonymous)?',
          when: hasHosts,
        },
        {
          key: 'bind.dn',
          ask: 'Please enter the bind username (a distinguished name).',
          when: hasBind,
          judge: distinguishedName,
        },
        {
          key: 'bind.passwordFile',
          ask: 'File with the bind passphrase; empty if you want to type it.',
          when: hasBind,
        },
        {
          key: 'bind.password',
          ask: 'Please enter the bind passphrase:',
          when: ({ bind }) => isMapping(bind) && bind['passwordFile'] === undefined,
        },
        { key: 'startTls', ask: 'Use SSL (StartTLS) to connect to ldap:// hosts?', when: hasHosts },
        { key: 'ca', ask: 'Which certificate authorities sign the certificate of the server?', when: encrypts },
        { key: 'baseDn', ask: 'Please enter the Base DN.', judge: distinguishedName },
      ],
    },
    {
      kind: 'query',
      section: ['ldap', 'queries'],
      noun: 'LDAP query',
      askName: 'Please create a name for this query:',
      row: (object) =>
        isMapping(object) ? `(${shown(object['type'] ?? '')}, on ${shown(object['server'] ?? '')})` : '',
      fields: () => [
        { key: 'server', ask: 'Which server configuration is asked?' },
        {
          key: 'type',
          ask: 'Choose the type of query:',
          labels: { certificate: 'Certificate Authentication Query', smtpAuth: 'SMTP Authentication Query' },
        },
        {
          key: 'filter',
          ask: 'Enter the LDAP query string. Certificates: {cn}, {sn}, …; SMTP Auth: {u}.',
          judge: filterFault,
        },
        { key: 'userIdAttribute', ask: 'Enter the User ID attribute.', when: isCertificate },
        {
          key: 'method',
          ask: 'Choose the authentication method:',
          labels: { bind: 'Authenticate via LDAP BIND', passwordAttribute: 'Fetch the password as attribute' },
          when: isSmtpAuth,
        },
        {
          key: 'passwordAttribute',
          ask: 'Enter the SMTP Auth password attribute.',
          when: ({ type, method }) => type === 'smtpAuth' && method === 'passwordAttribute',
        },
        { key: 'allowance', ask: 'Enter the SMTP Auth allowance query string.', when: isSmtpAuth, judge: filterFault },
      ],
    },
  ],
  extras: [
    { name: 'test', does: 'Ask a query as a session would, uncommitted changes included.', looks: true, run: test },
  ],
};
