import daemonSettings from '../../../systemd/daemon.env' with { type: 'text' }
import frontSettings from '../../../systemd/front.env' with { type: 'text' }
import signerSettings from '../../../systemd/signer.env' with { type: 'text' }
import daemon from '../../../systemd/tatum-kms.service' with { type: 'text' }
import front from '../../../systemd/tatum-kms-front.service' with { type: 'text' }
import signer from '../../../systemd/tatum-kms-signer.service' with { type: 'text' }
import socket from '../../../systemd/tatum-kms-signer.socket' with { type: 'text' }
import users from '../../../systemd/tatum-kms-sysusers.conf' with { type: 'text' }

/** By name, as they stand in systemd/. */
export const texts = {
  'daemon.env': daemonSettings,
  'front.env': frontSettings,
  'signer.env': signerSettings,
  'tatum-kms.service': daemon,
  'tatum-kms-front.service': front,
  'tatum-kms-signer.service': signer,
  'tatum-kms-signer.socket': socket,
  'tatum-kms-sysusers.conf': users,
} as const
