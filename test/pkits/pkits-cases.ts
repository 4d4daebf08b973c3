/**
 * Every test of the NIST Public Key Interoperability Test Suite (PKITS 1.0.1), sections 4.1 to 4.16: its number, the
 * end certificate, the result, and for the policy sections the initial settings and the user-constrained policies.
 * The document states success or failure; the result here says why as well: `valid`, the fault of the path, `revoked`,
 * or `unknown` where no list can be believed for a certificate of the path.
 * Deviates: 4.1.4 and 4.1.5 are valid by the document. They are signed with DSA and SHA-1, which this gateway refuses.
 * Pure.
 */
import type { PolicySettings } from '../../src/tls/certificate-policies.ts';
import type { PathFault } from '../../src/tls/path-validation.ts';

export type PkitsResult = 'valid' | 'revoked' | 'unknown' | PathFault;

export type PkitsCase = {
  /** `4.8.1.2` is subpart 2 of test 4.8.1. */
  readonly number: string;
  /** File name of the end certificate and of its key, without extension. */
  readonly target: string;
  readonly expected: PkitsResult;
  /** RFC 5280 §6.1.1 (c), (e), (f), (g). */
  readonly settings: PolicySettings;
  readonly policies: readonly string[] | undefined;
};

/** How many tests each section of the document has; subparts of a test count once. */
export const TESTS_PER_SECTION: Readonly<Record<string, number>> = {
  '4.1': 6, '4.2': 8, '4.3': 11, '4.4': 21, '4.5': 8, '4.6': 17, '4.7': 5, '4.8': 20,
  '4.9': 8, '4.10': 14, '4.11': 11, '4.12': 10, '4.13': 38, '4.14': 35, '4.15': 10, '4.16': 2,
}; // biome-ignore format: a table

/** The PKITS policies: 1 is NIST-test-policy-1, and so on. */
const policyOid = (name: string): string => (name === 'any' ? '2.5.29.32.0' : `2.16.840.1.101.3.2.1.48.${name}`);

function readCase(line: string): PkitsCase {
  const [number = '', target = '', expected = '', ...rest] = line.trim().split(/\s+/);
  const option = (key: string) => rest.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const initial = option('initial');
  const policies = option('policies');
  return {
    number,
    target,
    expected: expected as PkitsResult,
    settings: {
      ...(initial === undefined ? {} : { initialPolicySet: initial.split(',').map(policyOid) }),
      initialExplicitPolicy: rest.includes('explicit'),
      initialPolicyMappingInhibit: rest.includes('inhibit-mapping'),
      initialAnyPolicyInhibit: rest.includes('inhibit-any'),
    },
    policies: policies?.split(',').filter(Boolean).map(policyOid),
  };
}

export const PKITS_CASES: readonly PkitsCase[] = `
4.1.1 ValidCertificatePathTest1EE valid
4.1.2 InvalidCASignatureTest2EE not-trusted
4.1.3 InvalidEESignatureTest3EE not-trusted
4.1.4 ValidDSASignaturesTest4EE weak-signature
4.1.5 ValidDSAParameterInheritanceTest5EE weak-signature
4.1.6 InvalidDSASignatureTest6EE malformed
4.2.1 InvalidCAnotBeforeDateTest1EE authority-not-yet-valid
4.2.2 InvalidEEnotBeforeDateTest2EE not-yet-valid
4.2.3 Validpre2000UTCnotBeforeDateTest3EE valid
4.2.4 ValidGeneralizedTimenotBeforeDateTest4EE valid
4.2.5 InvalidCAnotAfterDateTest5EE authority-expired
4.2.6 InvalidEEnotAfterDateTest6EE expired
4.2.7 Invalidpre2000UTCEEnotAfterDateTest7EE expired
4.2.8 ValidGeneralizedTimenotAfterDateTest8EE valid
4.3.1 InvalidNameChainingTest1EE not-trusted
4.3.2 InvalidNameChainingOrderTest2EE not-trusted
4.3.3 ValidNameChainingWhitespaceTest3EE valid
4.3.4 ValidNameChainingWhitespaceTest4EE valid
4.3.5 ValidNameChainingCapitalizationTest5EE valid
4.3.6 ValidNameUIDsTest6EE valid
4.3.7 ValidRFC3280MandatoryAttributeTypesTest7EE valid
4.3.8 ValidRFC3280OptionalAttributeTypesTest8EE valid
4.3.9 ValidUTF8StringEncodedNamesTest9EE valid
4.3.10 ValidRolloverfromPrintableStringtoUTF8StringTest10EE valid
4.3.11 ValidUTF8StringCaseInsensitiveMatchTest11EE valid
4.4.1 InvalidMissingCRLTest1EE unknown
4.4.2 InvalidRevokedCATest2EE revoked
4.4.3 InvalidRevokedEETest3EE revoked
4.4.4 InvalidBadCRLSignatureTest4EE unknown
4.4.5 InvalidBadCRLIssuerNameTest5EE unknown
4.4.6 InvalidWrongCRLTest6EE unknown
4.4.7 ValidTwoCRLsTest7EE valid
4.4.8 InvalidUnknownCRLEntryExtensionTest8EE unknown
4.4.9 InvalidUnknownCRLExtensionTest9EE unknown
4.4.10 InvalidUnknownCRLExtensionTest10EE unknown
4.4.11 InvalidOldCRLnextUpdateTest11EE unknown
4.4.12 Invalidpre2000CRLnextUpdateTest12EE unknown
4.4.13 ValidGeneralizedTimeCRLnextUpdateTest13EE valid
4.4.14 ValidNegativeSerialNumberTest14EE valid
4.4.15 InvalidNegativeSerialNumberTest15EE revoked
4.4.16 ValidLongSerialNumberTest16EE valid
4.4.17 ValidLongSerialNumberTest17EE valid
4.4.18 InvalidLongSerialNumberTest18EE revoked
4.4.19 ValidSeparateCertificateandCRLKeysTest19EE valid
4.4.20 InvalidSeparateCertificateandCRLKeysTest20EE revoked
4.4.21 InvalidSeparateCertificateandCRLKeysTest21EE unknown
4.5.1 ValidBasicSelfIssuedOldWithNewTest1EE valid
4.5.2 InvalidBasicSelfIssuedOldWithNewTest2EE revoked
4.5.3 ValidBasicSelfIssuedNewWithOldTest3EE valid
4.5.4 ValidBasicSelfIssuedNewWithOldTest4EE valid
4.5.5 InvalidBasicSelfIssuedNewWithOldTest5EE revoked
4.5.6 ValidBasicSelfIssuedCRLSigningKeyTest6EE valid
4.5.7 InvalidBasicSelfIssuedCRLSigningKeyTest7EE revoked
4.5.8 InvalidBasicSelfIssuedCRLSigningKeyTest8EE authority-not-allowed
4.6.1 InvalidMissingbasicConstraintsTest1EE authority-not-allowed
4.6.2 InvalidcAFalseTest2EE authority-not-allowed
4.6.3 InvalidcAFalseTest3EE authority-not-allowed
4.6.4 ValidbasicConstraintsNotCriticalTest4EE valid
4.6.5 InvalidpathLenConstraintTest5EE path-length
4.6.6 InvalidpathLenConstraintTest6EE path-length
4.6.7 ValidpathLenConstraintTest7EE valid
4.6.8 ValidpathLenConstraintTest8EE valid
4.6.9 InvalidpathLenConstraintTest9EE path-length
4.6.10 InvalidpathLenConstraintTest10EE path-length
4.6.11 InvalidpathLenConstraintTest11EE path-length
4.6.12 InvalidpathLenConstraintTest12EE path-length
4.6.13 ValidpathLenConstraintTest13EE valid
4.6.14 ValidpathLenConstraintTest14EE valid
4.6.15 ValidSelfIssuedpathLenConstraintTest15EE valid
4.6.16 InvalidSelfIssuedpathLenConstraintTest16EE path-length
4.6.17 ValidSelfIssuedpathLenConstraintTest17EE valid
4.7.1 InvalidkeyUsageCriticalkeyCertSignFalseTest1EE authority-not-allowed
4.7.2 InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE authority-not-allowed
4.7.3 ValidkeyUsageNotCriticalTest3EE valid
4.7.4 InvalidkeyUsageCriticalcRLSignFalseTest4EE unknown
4.7.5 InvalidkeyUsageNotCriticalcRLSignFalseTest5EE unknown
4.8.1.1 ValidCertificatePathTest1EE valid explicit policies=1
4.8.1.2 ValidCertificatePathTest1EE valid explicit initial=1 policies=1
4.8.1.3 ValidCertificatePathTest1EE policy explicit initial=2
4.8.1.4 ValidCertificatePathTest1EE valid explicit initial=1,2 policies=1
4.8.2.1 AllCertificatesNoPoliciesTest2EE valid policies=
4.8.2.2 AllCertificatesNoPoliciesTest2EE policy explicit
4.8.3.1 DifferentPoliciesTest3EE valid policies=
4.8.3.2 DifferentPoliciesTest3EE policy explicit
4.8.3.3 DifferentPoliciesTest3EE policy explicit initial=1,2
4.8.4 DifferentPoliciesTest4EE policy
4.8.5 DifferentPoliciesTest5EE policy
4.8.6.1 OverlappingPoliciesTest6EE valid policies=1
4.8.6.2 OverlappingPoliciesTest6EE valid initial=1 policies=1
4.8.6.3 OverlappingPoliciesTest6EE policy initial=2
4.8.7 DifferentPoliciesTest7EE policy
4.8.8 DifferentPoliciesTest8EE policy
4.8.9 DifferentPoliciesTest9EE policy
4.8.10.1 AllCertificatesSamePoliciesTest10EE valid policies=1,2
4.8.10.2 AllCertificatesSamePoliciesTest10EE valid initial=1 policies=1
4.8.10.3 AllCertificatesSamePoliciesTest10EE valid initial=2 policies=2
4.8.11.1 AllCertificatesanyPolicyTest11EE valid policies=any
4.8.11.2 AllCertificatesanyPolicyTest11EE valid initial=1 policies=1
4.8.12 DifferentPoliciesTest12EE policy
4.8.13.1 AllCertificatesSamePoliciesTest13EE valid initial=1 policies=1
4.8.13.2 AllCertificatesSamePoliciesTest13EE valid initial=2 policies=2
4.8.13.3 AllCertificatesSamePoliciesTest13EE valid initial=3 policies=3
4.8.14.1 AnyPolicyTest14EE valid initial=1 policies=1
4.8.14.2 AnyPolicyTest14EE policy initial=2
4.8.15 UserNoticeQualifierTest15EE valid policies=1
4.8.16 UserNoticeQualifierTest16EE valid policies=1
4.8.17 UserNoticeQualifierTest17EE valid policies=1
4.8.18.1 UserNoticeQualifierTest18EE valid initial=1 policies=1
4.8.18.2 UserNoticeQualifierTest18EE valid initial=2 policies=2
4.8.19 UserNoticeQualifierTest19EE valid policies=1
4.8.20 CPSPointerQualifierTest20EE valid explicit initial=1 policies=1
4.9.1 ValidrequireExplicitPolicyTest1EE valid
4.9.2 ValidrequireExplicitPolicyTest2EE valid
4.9.3 InvalidrequireExplicitPolicyTest3EE policy
4.9.4 ValidrequireExplicitPolicyTest4EE valid
4.9.5 InvalidrequireExplicitPolicyTest5EE policy
4.9.6 ValidSelfIssuedrequireExplicitPolicyTest6EE valid
4.9.7 InvalidSelfIssuedrequireExplicitPolicyTest7EE policy
4.9.8 InvalidSelfIssuedrequireExplicitPolicyTest8EE policy
4.10.1.1 ValidPolicyMappingTest1EE valid initial=1 policies=1
4.10.1.2 ValidPolicyMappingTest1EE policy initial=2
4.10.1.3 ValidPolicyMappingTest1EE policy inhibit-mapping
4.10.2.1 InvalidPolicyMappingTest2EE policy
4.10.2.2 InvalidPolicyMappingTest2EE policy inhibit-mapping
4.10.3.1 ValidPolicyMappingTest3EE policy initial=1
4.10.3.2 ValidPolicyMappingTest3EE valid initial=2 policies=2
4.10.4 InvalidPolicyMappingTest4EE policy
4.10.5.1 ValidPolicyMappingTest5EE valid initial=1 policies=1
4.10.5.2 ValidPolicyMappingTest5EE policy initial=6
4.10.6.1 ValidPolicyMappingTest6EE valid initial=1 policies=1
4.10.6.2 ValidPolicyMappingTest6EE policy initial=6
4.10.7 InvalidMappingFromanyPolicyTest7EE policy
4.10.8 InvalidMappingToanyPolicyTest8EE policy
4.10.9 ValidPolicyMappingTest9EE valid
4.10.10 InvalidPolicyMappingTest10EE policy
4.10.11 ValidPolicyMappingTest11EE valid
4.10.12.1 ValidPolicyMappingTest12EE valid initial=1 policies=1
4.10.12.2 ValidPolicyMappingTest12EE valid initial=2 policies=2
4.10.13.1 ValidPolicyMappingTest13EE valid
4.10.13.2 ValidPolicyMappingTest13EE valid initial=1,2 policies=1
4.10.13.3 ValidPolicyMappingTest13EE policy initial=2
4.10.14 ValidPolicyMappingTest14EE valid
4.11.1 InvalidinhibitPolicyMappingTest1EE policy
4.11.2 ValidinhibitPolicyMappingTest2EE valid
4.11.3 InvalidinhibitPolicyMappingTest3EE policy
4.11.4 ValidinhibitPolicyMappingTest4EE valid
4.11.5 InvalidinhibitPolicyMappingTest5EE policy
4.11.6 InvalidinhibitPolicyMappingTest6EE policy
4.11.7 ValidSelfIssuedinhibitPolicyMappingTest7EE valid
4.11.8 InvalidSelfIssuedinhibitPolicyMappingTest8EE policy
4.11.9 InvalidSelfIssuedinhibitPolicyMappingTest9EE policy
4.11.10 InvalidSelfIssuedinhibitPolicyMappingTest10EE policy
4.11.11 InvalidSelfIssuedinhibitPolicyMappingTest11EE policy
4.12.1 InvalidinhibitAnyPolicyTest1EE policy
4.12.2 ValidinhibitAnyPolicyTest2EE valid
4.12.3.1 inhibitAnyPolicyTest3EE valid
4.12.3.2 inhibitAnyPolicyTest3EE policy inhibit-any
4.12.4 InvalidinhibitAnyPolicyTest4EE policy
4.12.5 InvalidinhibitAnyPolicyTest5EE policy
4.12.6 InvalidinhibitAnyPolicyTest6EE policy
4.12.7 ValidSelfIssuedinhibitAnyPolicyTest7EE valid
4.12.8 InvalidSelfIssuedinhibitAnyPolicyTest8EE policy
4.12.9 ValidSelfIssuedinhibitAnyPolicyTest9EE valid
4.12.10 InvalidSelfIssuedinhibitAnyPolicyTest10EE policy
4.13.1 ValidDNnameConstraintsTest1EE valid
4.13.2 InvalidDNnameConstraintsTest2EE name-constraints
4.13.3 InvalidDNnameConstraintsTest3EE name-constraints
4.13.4 ValidDNnameConstraintsTest4EE valid
4.13.5 ValidDNnameConstraintsTest5EE valid
4.13.6 ValidDNnameConstraintsTest6EE valid
4.13.7 InvalidDNnameConstraintsTest7EE name-constraints
4.13.8 InvalidDNnameConstraintsTest8EE name-constraints
4.13.9 InvalidDNnameConstraintsTest9EE name-constraints
4.13.10 InvalidDNnameConstraintsTest10EE name-constraints
4.13.11 ValidDNnameConstraintsTest11EE valid
4.13.12 InvalidDNnameConstraintsTest12EE name-constraints
4.13.13 InvalidDNnameConstraintsTest13EE name-constraints
4.13.14 ValidDNnameConstraintsTest14EE valid
4.13.15 InvalidDNnameConstraintsTest15EE name-constraints
4.13.16 InvalidDNnameConstraintsTest16EE name-constraints
4.13.17 InvalidDNnameConstraintsTest17EE name-constraints
4.13.18 ValidDNnameConstraintsTest18EE valid
4.13.19 ValidDNnameConstraintsTest19EE valid
4.13.20 InvalidDNnameConstraintsTest20EE name-constraints
4.13.21 ValidRFC822nameConstraintsTest21EE valid
4.13.22 InvalidRFC822nameConstraintsTest22EE name-constraints
4.13.23 ValidRFC822nameConstraintsTest23EE valid
4.13.24 InvalidRFC822nameConstraintsTest24EE name-constraints
4.13.25 ValidRFC822nameConstraintsTest25EE valid
4.13.26 InvalidRFC822nameConstraintsTest26EE name-constraints
4.13.27 ValidDNandRFC822nameConstraintsTest27EE valid
4.13.28 InvalidDNandRFC822nameConstraintsTest28EE name-constraints
4.13.29 InvalidDNandRFC822nameConstraintsTest29EE name-constraints
4.13.30 ValidDNSnameConstraintsTest30EE valid
4.13.31 InvalidDNSnameConstraintsTest31EE name-constraints
4.13.32 ValidDNSnameConstraintsTest32EE valid
4.13.33 InvalidDNSnameConstraintsTest33EE name-constraints
4.13.34 ValidURInameConstraintsTest34EE valid
4.13.35 InvalidURInameConstraintsTest35EE name-constraints
4.13.36 ValidURInameConstraintsTest36EE valid
4.13.37 InvalidURInameConstraintsTest37EE name-constraints
4.13.38 InvalidDNSnameConstraintsTest38EE name-constraints
4.14.1 ValiddistributionPointTest1EE valid
4.14.2 InvaliddistributionPointTest2EE revoked
4.14.3 InvaliddistributionPointTest3EE unknown
4.14.4 ValiddistributionPointTest4EE valid
4.14.5 ValiddistributionPointTest5EE valid
4.14.6 InvaliddistributionPointTest6EE revoked
4.14.7 ValiddistributionPointTest7EE valid
4.14.8 InvaliddistributionPointTest8EE unknown
4.14.9 InvaliddistributionPointTest9EE unknown
4.14.10 ValidNoissuingDistributionPointTest10EE valid
4.14.11 InvalidonlyContainsUserCertsTest11EE unknown
4.14.12 InvalidonlyContainsCACertsTest12EE unknown
4.14.13 ValidonlyContainsCACertsTest13EE valid
4.14.14 InvalidonlyContainsAttributeCertsTest14EE unknown
4.14.15 InvalidonlySomeReasonsTest15EE revoked
4.14.16 InvalidonlySomeReasonsTest16EE revoked
4.14.17 InvalidonlySomeReasonsTest17EE unknown
4.14.18 ValidonlySomeReasonsTest18EE valid
4.14.19 ValidonlySomeReasonsTest19EE valid
4.14.20 InvalidonlySomeReasonsTest20EE revoked
4.14.21 InvalidonlySomeReasonsTest21EE revoked
4.14.22 ValidIDPwithindirectCRLTest22EE valid
4.14.23 InvalidIDPwithindirectCRLTest23EE revoked
4.14.24 ValidIDPwithindirectCRLTest24EE valid
4.14.25 ValidIDPwithindirectCRLTest25EE valid
4.14.26 InvalidIDPwithindirectCRLTest26EE unknown
4.14.27 InvalidcRLIssuerTest27EE unknown
4.14.28 ValidcRLIssuerTest28EE valid
4.14.29 ValidcRLIssuerTest29EE valid
4.14.30 ValidcRLIssuerTest30EE valid
4.14.31 InvalidcRLIssuerTest31EE revoked
4.14.32 InvalidcRLIssuerTest32EE revoked
4.14.33 ValidcRLIssuerTest33EE valid
4.14.34 InvalidcRLIssuerTest34EE revoked
4.14.35 InvalidcRLIssuerTest35EE unknown
4.15.1 InvaliddeltaCRLIndicatorNoBaseTest1EE unknown
4.15.2 ValiddeltaCRLTest2EE valid
4.15.3 InvaliddeltaCRLTest3EE revoked
4.15.4 InvaliddeltaCRLTest4EE revoked
4.15.5 ValiddeltaCRLTest5EE valid
4.15.6 InvaliddeltaCRLTest6EE revoked
4.15.7 ValiddeltaCRLTest7EE valid
4.15.8 ValiddeltaCRLTest8EE valid
4.15.9 InvaliddeltaCRLTest9EE revoked
4.15.10 InvaliddeltaCRLTest10EE unknown
4.16.1 ValidUnknownNotCriticalCertificateExtensionTest1EE valid
4.16.2 InvalidUnknownCriticalCertificateExtensionTest2EE critical-extension
`
  .trim()
  .split('\n')
  .map(readCase);
