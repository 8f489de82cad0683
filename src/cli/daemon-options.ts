import type { Option } from './command.ts'
import { apiKey, insecureHttp, journal, lease, share } from './shared-options.ts'

/** Of everything that signs payments for the approval server to agree to. */
export const approverOptions: readonly Option[] = [
  {
    name: 'approver-key',
    value: 'KEY',
    about: 'Ed25519 key that must sign approvals; may be repeated',
    repeats: true,
  },
  { name: 'approvals', value: 'M', about: 'how many of these keys must agree (default: all)' },
]

/** Of everything that signs payments under its owner's rules. */
export const policyOptions: readonly Option[] = [
  {
    name: 'policy',
    value: 'FILE',
    about: 'rules and limits for payments, read again at SIGHUP (see policy)',
  },
  share,
]

/** How other machines are reached and known. */
export const reachOptions: readonly Option[] = [
  { name: 'ca-file', value: 'FILE', about: 'the only certificate authorities to trust (PEM)' },
  { name: 'proxy', value: 'URL', about: 'http or https proxy for all but this machine' },
]

/** Of everything that starts the two processes. */
export const processOptions: readonly Option[] = [
  ...reachOptions,
  { name: 'require-hardening', about: 'end where the system cannot confine the processes' },
]

/** Of the network process: what it polls and asks, and how it is looked at. */
export const frontOptions: readonly Option[] = [
  { name: 'period', value: 'SECONDS', about: 'time between polls (default: 5)' },
  {
    name: 'idle-period',
    value: 'SECONDS',
    about: 'up to which it grows while nothing comes (default: as period)',
  },
  {
    name: 'keep-payments',
    value: 'DAYS',
    about: 'how long the journal keeps payments that are over (default: 90)',
  },
  { name: 'chain', value: 'LIST', about: 'only these chains, separated by commas' },
  { name: 'wallets', value: 'LIST', about: 'only these signatureIds, separated by commas' },
  { name: 'transaction-ids', value: 'LIST', about: 'only these pending transactions' },
  { name: 'external-url', value: 'URL', about: 'approval server; required on main networks' },
  { name: 'external-url-method', value: 'GET|POST', about: 'how it is asked (default: GET)' },
  apiKey,
  journal,
  lease,
  {
    name: 'metrics',
    value: 'ADDRESS',
    about: 'serve metrics at 127.0.0.1:PORT, [::1]:PORT or unix:/PATH',
  },
  { name: 'metrics-file', value: 'FILE', about: 'write metrics to this file' },
  { name: 'log-format', value: 'text|json', about: 'default: text on a terminal, else json' },
  { name: 'log-level', value: 'LEVEL', about: 'debug, info, warning or error (default: info)' },
  insecureHttp,
]

/** Of the keyed process: what it signs and what it does not. */
export const signerOptions: readonly Option[] = [
  ...policyOptions,
  {
    name: 'verify-inputs',
    value: 'auto|require|off',
    about: 'look up what legacy UTXO inputs hold; auto: where it can be had (default: auto)',
  },
  { name: 'accept-rollback', about: 'an older copy of the vault was put back on purpose' },
  {
    name: 'accept-nonce',
    value: 'LIST',
    about: 'addresses whose nonce may be far ahead of what was signed here',
  },
  {
    name: 'allow-replacement',
    about: 'a payment may replace one that is the same but for a lower fee',
  },
]
