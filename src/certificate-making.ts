/** Keys, requests and self-signed certificates for the command line, which may not load a stage itself. Effects: loads libraries. */
export {
  certificateRequest,
  KEY_TYPES,
  keyFault,
  type KeyType,
  newKey,
  selfSignedCertificate,
  type Wanted,
} from './tls/certificate-request.ts';
