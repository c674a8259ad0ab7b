/** What of the operator's own words has more to it than a word; the rest of the group is in schema.ts. */
import * as kind from './kinds.ts';

export const securityContact = kind.setting(
  kind.mailAddress,
  'Where a weakness of this provider is reported, for `/.well-known/security.txt`. When absent, `operator.supportAddress`; without either there is no such file.',
  { env: 'OPERATOR_SECURITY_CONTACT', example: 'security@example.com' },
);
